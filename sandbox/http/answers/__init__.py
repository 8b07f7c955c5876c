"""What each path of the API answers, and to whom: a room for each domain."""
