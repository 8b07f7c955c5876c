"""The figures in docs/, each reproducible by one command."""
