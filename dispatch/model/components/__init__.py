"""One file a component."""
