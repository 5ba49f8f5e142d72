"""The series that are solved, from profiles."""
