"""Direct debit: mandates, what is collected by them and when, and what follows when a bank says no."""
