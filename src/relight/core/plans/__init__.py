"""Instalment plans and promises: what may be offered, when each part is due, what has been paid of it, and its end."""
