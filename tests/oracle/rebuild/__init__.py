"""docs/formulation.md rebuilt by an outsider: plain arrays in, optimum out, nothing of `dispatch`."""
