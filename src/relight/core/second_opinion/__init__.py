"""A second opinion: another system's log, held against law packs. Pure; what a log cannot tell is said, not guessed."""
