"""Properties of the gas in a MatGas file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.errors import Problem

if TYPE_CHECKING:
    from dispatch.case.importers.matgas_text import MatGas

SECONDS_AN_HOUR = 3600.0
AIR_NORMAL = 1.2929  # kg per normal cubic metre
PASCAL_NORMAL, KELVIN_NORMAL, GAS_CONSTANT = 101325.0, 273.15, 8.314462618
TELLING = 0.01
HINT = "Correct the file: SI units, not per unit, with temperature and gas_specific_gravity or gas_molar_mass."


def gas_of(file: MatGas, problems: list[Problem], notes: list[str]) -> dict[str, float]:
    """Columns of the kind ``gas_network`` from the values of a file.

    Parameters
    ----------
    file : MatGas
        Its literals.
    problems, notes : list
        Receive what is wrong, and what was assumed.

    Returns
    -------
    dict
        Normal density from the molar mass, or else from the specific gravity; a constant compressibility factor, that
        of the file, or the one which makes the file's speed of sound where it gives that.
    """
    _refuse_units(file, problems)
    kelvin = _number(file, "temperature", 240.0, 340.0, problems)
    if kelvin is None:
        return {}
    if "gas_molar_mass" in file.values:
        mass = _number(file, "gas_molar_mass", 0.002, 0.06, problems) or 0.0
        density = PASCAL_NORMAL * mass / (GAS_CONSTANT * KELVIN_NORMAL)
    else:
        density = AIR_NORMAL * (_number(file, "gas_specific_gravity", 0.06, 2.0, problems) or 0.0)
    factor = _number(file, "compressibility_factor", 0.2, 1.5, problems)
    if not density or factor is None:
        return {}
    if "sound_speed" in file.values:
        speed = _number(file, "sound_speed", 150.0, 1500.0, problems) or 0.0
        made = speed**2 * density * KELVIN_NORMAL / (PASCAL_NORMAL * kelvin)
        if abs(made - factor) > TELLING * factor:
            notes.append(
                f"The speed of sound of {speed:g} m/s and the normal density of {density:.4g} kg/m3 make a "
                f"compressibility factor of {made:.4g}, which is taken instead of the file's {factor:g}."
            )
        factor = made
    notes.append("The file has no viscosity and no heating values; those of natural gas are taken.")
    return {
        "temperature": kelvin - KELVIN_NORMAL,
        "density_normal": density,
        "compressibility": factor,
        "compressibility_slope": 0.0,
    }


def _refuse_units(file: MatGas, problems: list[Problem]) -> None:
    units = file.values.get("units", "si")
    if units != "si":
        problems.append(Problem("unit", "units", value=repr(units)[:40], allowed="'si'", hint=HINT))
    if file.values.get("is_per_unit", 0.0) not in {0.0, "false"}:
        problems.append(Problem("unit", "is_per_unit", value="set", allowed="0", hint=HINT))


def _number(file: MatGas, name: str, low: float, high: float, problems: list[Problem]) -> float | None:
    value = file.values.get(name)
    if isinstance(value, float) and low <= value <= high:
        return value
    found = "missing" if value is None else repr(value)[:40]
    problems.append(Problem("range", name, value=found, allowed=f"[{low:g}, {high:g}]", hint=HINT))
    return None
