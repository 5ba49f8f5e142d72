"""The algebra, written once; the compiler and the explicit model made from it."""
