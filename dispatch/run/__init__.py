"""The one orchestrator: forecast → compile → solve → verify → offsets → solve hot … → result → report."""
