"""A finished schedule against AC power flow; never solves."""
