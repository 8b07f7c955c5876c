"""One page with the answers to the questions in `transform/questions`, to look at or pass on."""
