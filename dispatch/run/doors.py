"""Case files made from other files, and other files made from cases and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.case.netcdf import check_file, load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import has
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.model.registry import load_components
from dispatch.run.outputs import require_output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import xarray as xr


UNKNOWN = {"unknown-group", "unknown-variable"}
"""Problems of what an export cannot write."""


def validate(path: Path, components: Sequence[str] = ()) -> list[str]:
    """Raise everything that is wrong with a case file.

    Parameters
    ----------
    path : Path
        A case or a result.
    components : sequence of str
        Files of the user's own components.

    Returns
    -------
    list of str
        What was converted while reading.

    Raises
    ------
    InputError
        With every problem.
    """
    notes: list[str] = []
    load_components(components)
    raise_if_any(check_file(path, notes), str(path))
    return notes


def import_case(source: str, path: Path, output: Path, **options: Any) -> list[str]:
    """Read a network or tables, validate them and write a case file.

    Parameters
    ----------
    source : {"pandapower", "simbench", "roseau", "pandapipes", "matgas", "tables", "weather"}
        What `path` is.
    path : Path
        File or folder.
    output : Path
        Case file; not written if there is any problem.
    **options
        Of the importer.

    Returns
    -------
    list of str
        Notes of the importer.

    Raises
    ------
    InputError
        With every problem.
    """
    require_output(output)
    case, notes = imported(source, path, **options)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_case(case, output)
    return notes


def imported(source: str, path: Path, **options: Any) -> tuple[xr.DataTree, list[str]]:
    """Read a network or tables and validate them; arguments and errors are those of `import_case`.

    Returns
    -------
    case : DataTree
    notes : list of str
        Of the importer.
    """
    if source == "pandapower":
        from dispatch.case.importers.pandapower import import_pandapower  # noqa: PLC0415  (pandas loads when needed)

        case, notes = import_pandapower(path, **options)
    elif source == "roseau":
        from dispatch.case.importers.roseau import import_roseau  # noqa: PLC0415

        case, notes = import_roseau(path, **options)
    elif source == "pandapipes":
        from dispatch.case.importers.pandapipes import import_pandapipes  # noqa: PLC0415

        case, notes = import_pandapipes(path, **options)
    elif source == "matgas":
        from dispatch.case.importers.matgas import import_matgas  # noqa: PLC0415

        case, notes = import_matgas(path, **options)
    elif source == "simbench":
        from dispatch.case.importers.simbench import import_simbench  # noqa: PLC0415

        case, notes = import_simbench(path, **options)
    elif source == "weather":
        from dispatch.forecast.readers import import_weather  # noqa: PLC0415

        case, notes = import_weather(path, load_case(options.pop("base")), **options)
    else:
        from dispatch.case.tables import import_tables  # noqa: PLC0415

        notes, base = [], options["base"]
        case = import_tables(path, load_case(base) if base else None, notes)
    raise_if_any(_apart_from_series(check_case(case)), str(path))
    return case, notes


def merge(electric: Path, gas: Path, match: Path, output: Path, *, meter: str | None = None) -> list[str]:
    """Join an electric and a gas network and write the case.

    Parameters
    ----------
    electric, gas : Path
        Case files.
    match : Path
        CSV that says which consumer is which prosumer.
    output : Path
        Case file; not written if there is any problem.
    meter : str, optional
        Meter of plants and compressors that name none.

    Returns
    -------
    list of str
        What was set or left as it was.

    Raises
    ------
    InputError
        With every problem.
    """
    from dispatch.case.merge import merge_cases  # noqa: PLC0415  (only this command needs it)

    require_output(output)
    case, notes = merge_cases(load_case(electric), load_case(gas), match, meter=meter)
    raise_if_any(_apart_from_series(check_case(case)), str(output))
    output.parent.mkdir(parents=True, exist_ok=True)
    save_case(case, output)
    return notes


def export(target: str, path: Path, output: Path) -> list[Path]:
    """Write a case as CSV tables, or the last linear program of a result as MPS.

    Parameters
    ----------
    target : {"tables", "mps"}
        What to write.
    path : Path
        Case or result.
    output : Path
        Folder of the tables, or MPS file.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        If the file is not what is needed, or holds what is not known and would be left out.
    """
    require_output(output, folder=target == "tables", inputs=[path])
    held = load_case(path)
    raise_if_any([p for p in check_case(held) if p.code in UNKNOWN], str(path))
    if target == "tables":
        from dispatch.case.tables import export_tables  # noqa: PLC0415

        return export_tables(held, output)
    from dispatch.solve.export import write_mps  # noqa: PLC0415  (Pyomo loads when needed)

    _require_result(held, path)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_mps(held, output)
    return [output]


def report(path: Path, output: Path) -> None:
    """Write the HTML report of a result.

    Parameters
    ----------
    path : Path
        Result.
    output : Path
        Page.

    Raises
    ------
    InputError
        If the file holds no result.
    """
    from dispatch.report.html import write_report  # noqa: PLC0415  (Jinja2 loads when needed)

    require_output(output, inputs=[path])
    held = load_case(path)
    _require_result(held, path)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_report(held, output)


def reinforce(path: Path, **choices: Any) -> xr.Dataset:
    """Rank the lines and transformers of a result file by what more rating would save.

    Parameters
    ----------
    path : Path
        Result.
    **choices
        Of `dispatch.rank_reinforcements`.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If the file holds no result.
    """
    from dispatch.run.reinforce import rank_reinforcements  # noqa: PLC0415  (HiGHS loads when needed)

    load_components(choices.get("components", ()))
    held = load_case(path)
    _require_result(held, path)
    return rank_reinforcements(held, **choices)


def scenario(path: Path, output: Path, **choices: Any) -> None:
    """Equip a case file by the scenario rule and write it.

    Parameters
    ----------
    path, output : Path
        Case files.
    **choices
        Of `dispatch.equip`.

    Raises
    ------
    InputError
        With every problem of the case or the choices.
    """
    from dispatch.scenario.equip import equip  # noqa: PLC0415  (its library loads when needed)

    require_output(output)
    raise_if_any(_apart_from_series(check_file(path)), str(path))
    case = equip(load_case(path), **choices)
    raise_if_any(check_case(case), str(path))
    output.parent.mkdir(parents=True, exist_ok=True)
    save_case(case, output)


def _require_result(held: xr.DataTree, path: Path) -> None:
    if not has(held, "certificate"):
        hint = "Give a file that `dispatch run` wrote."
        raise InputError([Problem("no-result", "/certificate", value="missing", hint=hint)], str(path))


def _apart_from_series(problems: list[Problem]) -> list[Problem]:
    """Leave out that a case has no series: an imported network gets them from a scenario."""
    return [p for p in problems if p.code != "no-series"]
