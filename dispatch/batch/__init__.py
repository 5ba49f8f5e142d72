"""Many runs: plan, journal, executors. One bad feeder never stops the rest, and nothing that was done is lost."""
