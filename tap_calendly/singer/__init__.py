"""The Singer SDK's side: messages, state, catalog, command line."""
