"""Late interest: simple, by the day, exact until the last step, and rounded once."""
