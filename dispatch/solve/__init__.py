"""From program and limits to plan, prices and certificate."""
