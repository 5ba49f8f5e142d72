"""NumPy arrays in, NumPy arrays out, compiled by Numba."""
