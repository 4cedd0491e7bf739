"""The feed over HTTP: what happens at a partner, for its own systems."""
