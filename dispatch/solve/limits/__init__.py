"""Network limits as rows that are linear in what the meters exchange."""
