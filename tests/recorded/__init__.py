"""Answers in the shapes that recordings of live accounts showed, and the test that loads them."""
