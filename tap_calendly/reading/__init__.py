"""Reads lists of the API, ahead of the thread that writes; knows nothing of Singer."""
