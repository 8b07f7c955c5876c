"""The models and the twelve answers that they give."""
