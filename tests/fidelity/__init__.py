"""Random histories of a company, throughout which the tables equal Calendly's data."""
