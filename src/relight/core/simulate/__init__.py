"""What-if: the same `decide` over a portfolio in memory, with customers who behave by a model, day by day."""
