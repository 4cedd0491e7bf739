"""Decisions in plain words: what happened and why, what comes next and what would stop it, for agents and customers.

Decisions keep codes and facts; the words are here, one file a language and a reader, and are put together when read.
"""
