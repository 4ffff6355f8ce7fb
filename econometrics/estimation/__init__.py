"""What all estimators share: which rows enter, absorbed effects, designs, covariances, results of regressions."""
