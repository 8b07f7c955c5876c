"""The answers of each path of the API, one file per subject."""
