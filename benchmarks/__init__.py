"""Measured comparisons; each peer in an environment of its own."""
