"""The receiver and its inbox."""
