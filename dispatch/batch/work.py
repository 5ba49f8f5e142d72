"""What is sent to workers: functions of a path, by name. Whoever only hands them out need not load what they do."""

from __future__ import annotations


def run_group(path: str) -> None:
    """Do one task; see `dispatch.batch.solve_group.solve_group`.

    Parameters
    ----------
    path : str
        Its file.
    """
    from dispatch.batch.solve_group import solve_group  # noqa: PLC0415  (a worker loads it, not whoever hands out)

    solve_group(path)


def run_round(path: str) -> None:
    """Do a group's part of a round of shared limits; see `dispatch.batch.solve_round.solve_round`.

    Parameters
    ----------
    path : str
        File of the task.
    """
    from dispatch.batch.solve_round import solve_round  # noqa: PLC0415  (a worker loads it, not whoever hands out)

    solve_round(path)


def warm_up() -> None:
    """Compile every kernel once, before many processes would do it at the same time."""
    from dispatch.run.warm import compile_solving  # noqa: PLC0415

    compile_solving()


def load_libraries() -> None:
    """Load what `run_group` needs, and do nothing."""
    from dispatch.batch import solve_group  # noqa: F401, PLC0415
