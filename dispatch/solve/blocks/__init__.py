"""Members that answer prices: by dynamic programming, or by a linear program of their own."""
