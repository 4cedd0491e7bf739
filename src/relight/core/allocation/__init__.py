"""Which claims money pays, line by line: what the payer says first, then the rule of the country."""
