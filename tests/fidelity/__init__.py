"""Random histories of a company, after each of which the tables equal Calendly."""
