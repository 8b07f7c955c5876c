"""What the fields of each resource are, after Calendly's API reference.

Only a row's key is certain: everything else may be null or absent. Nested objects and lists are
described, but fields of theirs that are not listed are kept as they come.
"""
