"""Readers of other tools' files; files are data, never code."""
