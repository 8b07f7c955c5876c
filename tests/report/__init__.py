"""The page with the answers."""
