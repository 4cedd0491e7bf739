"""Law packs: a country's rules as data, asked of every path of a policy before it goes live and of each case after."""
