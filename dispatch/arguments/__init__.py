"""What the command line takes: commands, options, and the help that teaches them."""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from dispatch.arguments.doors import add_doors, add_scenario
from dispatch.arguments.readers import add_readers
from dispatch.arguments.runs import add_runs
from dispatch.examples import EXIT_CODES, FIRST_STEPS


class _Parser(argparse.ArgumentParser):
    """A parser that says where the help is when it is used wrongly."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nsee: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Build the parser; a command without arguments leaves ``command`` None.

    Returns
    -------
    argparse.ArgumentParser
    """
    try:
        release = version("prosumer-dispatch")
    except PackageNotFoundError:
        release = "not installed"
    top = _Parser(
        prog="dispatch",
        description="Schedule batteries, PV and biogas plants of a town at lowest cost inside the limits of its\n"
        "electric and gas networks; certified, and checked by AC power flow.",
        epilog=FIRST_STEPS + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"dispatch {release}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, text: str, examples: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=examples + "\n" + EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    add_runs(add)
    add_readers(add)
    add_scenario(add)
    add_doors(add)
    return top
