"""A policy as a picture and as a text: steps on a line of days, with what the law asks beside what was chosen."""
