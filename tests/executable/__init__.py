"""The command as a user runs it: its settings, files, output and exit status."""
