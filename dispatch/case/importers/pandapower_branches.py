"""Lines and transformers of a pandapower net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.importers.grid import Table, named
from dispatch.case.importers.pandapower_switches import UNRATED_KA, open_ends
from dispatch.case.importers.reading import problem_at

if TYPE_CHECKING:
    from dispatch.case.importers.pandapower_net import Net

RATIO_TAPS = {"Ratio", "Symmetrical"}


def _rating(net: Net, table: str, column: str) -> np.ndarray:
    """Rated current in kA, `UNRATED_KA` where it is not given or not positive."""
    current = net.optional(table, column)
    unknown = ~(current > 0)
    if unknown.any():
        ids = np.array(net.labels(table), object)[unknown]
        net.notes.append(f"{table}: {len(ids)} without {column} never limit anything (first: {named(ids)}).")
    return np.where(unknown, UNRATED_KA, current)


def lines(net: Net, v_nom: np.ndarray) -> Table:
    """Lines in the columns of the attribute table, buses as row numbers.

    Parameters
    ----------
    net : Net
        The file.
    v_nom : ndarray (bus,)
        Nominal voltage of each bus. [kV]

    Returns
    -------
    Table
        Switches aside, see `pandapower_switches.keep_open_ends`.
    """
    start, stop = net.buses("line", "from_bus"), net.buses("line", "to_bus")
    length, parallel = net.numbers("line", "length_km", low=0), net.numbers("line", "parallel", 1, low=1, high=1e3)
    r, x = (net.numbers("line", f"{c}_ohm_per_km", low=0) * length / parallel for c in "rx")
    c_nf = net.numbers("line", "c_nf_per_km", 0.0, low=0) * length * parallel
    v = v_nom[start] if len(start) else np.zeros(0)
    rating = np.sqrt(3) * v * 1e3 * _rating(net, "line", "max_i_ka") * net.numbers("line", "df", 1, low=1e-3, high=1e3)
    in_service = net.flags("line", "in_service")
    _check_lines(net, start, stop, v_nom, (r == 0) & (x == 0) & in_service)
    if (net.numbers("line", "g_us_per_km", 0.0) != 0).any():
        net.notes.append("line: g_us_per_km (leakage) is left out.")
    return {
        "id": net.ids("line", "line"),
        "bus_from": start,
        "bus_to": stop,
        "r": r,
        "x": x,
        "b": 2 * np.pi * net.frequency * 1e-9 * c_nf,
        "s_nom": rating * parallel,
        "length": length,
        "in_service": in_service,
    }


def _check_lines(net: Net, start: np.ndarray, stop: np.ndarray, v_nom: np.ndarray, short: np.ndarray) -> None:
    labels = net.labels("line")
    texts = {"value": "without impedance", "allowed": "r or x above 0"}
    hint = "Give the impedance, or join the buses by a closed bus-bus switch."
    net.problems += problem_at(short, labels, "zero-impedance", "line", hint=hint, **texts)
    apart = (start >= 0) & (stop >= 0) & (v_nom[start] != v_nom[stop]) if len(start) else np.zeros(0, bool)
    for k in np.nonzero(apart)[0][:1]:
        value = f"{v_nom[start[k]]:g} and {v_nom[stop[k]]:g} kV"
        texts = {"value": value, "allowed": "the same nominal voltage at both ends"}
        hint = "Correct vn_kv, or put a transformer between them."
        net.problems += problem_at(apart, labels, "voltage", "line", hint=hint, **texts)


def transformers(net: Net) -> Table:
    """Two-winding transformers in the columns of the attribute table, buses as row numbers.

    Returns
    -------
    Table
        Parallel units are one; a rating factor ``df`` scales the rating and, inversely, what is per unit of it. One
        that an open switch interrupts is out of service (its no-load losses are left out).
    """
    parallel, df = (
        net.numbers("trafo", "parallel", 1, low=1, high=1e3),
        net.numbers("trafo", "df", 1, low=1e-3, high=1e3),
    )
    s_nom = net.numbers("trafo", "sn_mva", low=1e-6) * 1e3 * parallel
    vk = net.numbers("trafo", "vk_percent", low=1e-6, high=100) / 100
    vkr = net.numbers("trafo", "vkr_percent", low=0, high=100) / 100
    texts = {"value": "too large", "allowed": "at most vk_percent", "hint": "Correct vk_percent and vkr_percent."}
    net.problems += problem_at(vkr > vk, net.labels("trafo"), "range", "trafo", "vkr_percent", **texts)
    return {
        "id": net.ids("trafo", "transformer"),
        "bus_from": net.buses("trafo", "hv_bus"),
        "bus_to": net.buses("trafo", "lv_bus"),
        "s_nom": s_nom * df,
        "v_nom_from": net.numbers("trafo", "vn_hv_kv", low=1e-3, high=1000),
        "v_nom_to": net.numbers("trafo", "vn_lv_kv", low=1e-3, high=1000),
        "r_pu": vkr * df,
        "x_pu": np.sqrt(np.maximum(vk**2 - vkr**2, 0)) * df,
        "p_no_load": net.numbers("trafo", "pfe_kw", 0.0, low=0) * parallel,
        "i_no_load_pu": net.numbers("trafo", "i0_percent", 0.0, low=0, high=100) / 100 / df,
        **_taps(net),
        "phase_shift": net.numbers("trafo", "shift_degree", 0.0, low=-360, high=360),
        "in_service": net.flags("trafo", "in_service")
        & ~open_ends(net, "trafo", "t", ("hv_bus", "lv_bus")).any(axis=1),
    }


def _taps(net: Net) -> Table:
    """Tap columns; a falling step is turned round, a tap that shifts the angle is refused."""
    step = net.numbers("trafo", "tap_step_percent", 0.0, low=-20, high=20) / 100
    neutral = net.numbers("trafo", "tap_neutral", 0, low=-100, high=100)
    position = net.optional("trafo", "tap_pos", low=-100, high=100)
    position = np.where(np.isnan(position), neutral, position)
    side = net.texts("trafo", "tap_side")
    active = (side != "") & (step != 0) | (net.numbers("trafo", "tap_step_degree", 0.0) != 0)
    kinds = net.texts("trafo", "tap_changer_type")
    if "tap_changer_type" in net.frame("trafo").columns:
        untyped = active & (kinds == "") & (position != neutral)  # from version 3 on it does nothing
        active &= kinds != ""
        if untyped.any():
            ids = named(net.ids("trafo", "transformer")[untyped])
            net.notes.append(f"trafo: taps without tap_changer_type have no effect, as in pandapower 3: {ids}.")
    moved = active & (position != neutral)
    _refuse_taps(net, moved, kinds, position, neutral)
    step = np.where(active, step, 0.0)
    ends = [net.optional("trafo", c, low=-100, high=100) for c in ("tap_min", "tap_max")]
    low, high = (np.where(np.isnan(e) | ~active, position, e) for e in ends)
    turned = step < 0
    mirrored = [np.where(turned, 2 * neutral - v, v) for v in (position, low, high)]
    position, low, high = mirrored[0], np.minimum(*mirrored[1:]), np.maximum(*mirrored[1:])
    whole = {"tap_position": position, "tap_neutral": neutral, "tap_min": low, "tap_max": high}
    sides = {"tap_side": np.where(side == "lv", "to", "from"), "tap_step_pu": np.abs(step)}
    return {**sides, **{k: np.where(active, v, 0).round().astype(np.int32) for k, v in whole.items()}}


def _refuse_taps(net: Net, moved: np.ndarray, kinds: np.ndarray, position: np.ndarray, neutral: np.ndarray) -> None:
    shifting = net.numbers("trafo", "tap_step_degree", 0.0) % 180 != 0
    shifting |= net.flags("trafo", "tap_phase_shifter", default=False) | (kinds == "Ideal")
    second = net.optional("trafo", "tap2_pos")
    second_moved = np.isfinite(second) & (second != net.numbers("trafo", "tap2_neutral", 0.0))
    cases = {
        "tap_step_degree": (moved & shifting, "a tap that shifts the angle", "taps that change the ratio only"),
        "tap_pos": (moved & ((position % 1 != 0) | (neutral % 1 != 0)), "between two positions", "whole numbers"),
        "tap2_pos": (second_moved, "a second tap changer off its neutral position", "one tap changer"),
        "tap_dependency_table": (
            net.flags("trafo", "tap_dependency_table", default=False) & (kinds == "Tabular"),
            "an impedance or ratio by table",
            "one impedance and a constant tap step",
        ),
    }
    in_service = net.flags("trafo", "in_service")
    for column, (wrong, value, allowed) in cases.items():
        texts = {"value": value, "allowed": allowed}
        hint = "Set the tap to its neutral position, or describe the transformer by its ratio there."
        net.problems += problem_at(wrong & in_service, net.labels("trafo"), "tap", "trafo", column, hint=hint, **texts)
