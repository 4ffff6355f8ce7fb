"""What keeps a store whole: seals, locks, repair, checks of everything, and clearing away."""
