"""Payment references: the number on a bill by which a payment finds it, made and checked as each country's banks do."""
