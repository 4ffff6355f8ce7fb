"""The steps of a panel that attach clusters, emissions, policies, groups, attention and instruments."""
