"""Where the cases that come with the project lie."""

from __future__ import annotations

from pathlib import Path

from dispatch.errors import InputError, Problem

PACKAGE = Path(__file__).parents[1]


def embedded_folder() -> Path:
    """Folder of the embedded cases: beside the packages in a checkout, inside ``dispatch`` where installed.

    Returns
    -------
    Path
        ``dispatch/_data`` of an installed wheel, otherwise ``data`` of the checkout (editable installs included).
    """
    installed = PACKAGE / "_data"
    return installed if installed.is_dir() else PACKAGE.parent / "data"


def embedded_names() -> list[str]:
    """Names of the embedded cases, sorted.

    Returns
    -------
    list of str
        Such as ``"schutterwald_summer"``.
    """
    return sorted(path.stem for path in embedded_folder().glob("*.nc"))


def embedded_path(name: str) -> Path:
    """File of an embedded case.

    Parameters
    ----------
    name : str
        One of `embedded_names`.

    Returns
    -------
    Path
        An existing netCDF file.

    Raises
    ------
    InputError
        If there is no such case; the message lists those there are.
    """
    names = embedded_names()
    if name not in names:
        hint = f"Embedded cases: {', '.join(names) or 'none, the installation is incomplete'}."
        raise InputError([Problem("unknown-case", "/", "title", value=repr(name), hint=hint)])
    return embedded_folder() / f"{name}.nc"


def case_file(path: Path) -> Path:
    """File that is meant by a path: itself, or that of an embedded case of this name where there is no such file.

    Returns
    -------
    Path
        Which need not exist.
    """
    name = str(path)
    return embedded_path(name) if not path.suffix and name in embedded_names() and not path.exists() else path
