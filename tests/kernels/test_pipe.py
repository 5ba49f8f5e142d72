from __future__ import annotations

import math

import naive_pipe
import numpy as np
import pytest

from dispatch.case.gas_network import span
from kernels import pipe, pipe_loops


def random_forest(rng, size, chords=0):
    """Tree of pipes below a gate, behind a regulator in the middle, with chords inside the zones."""
    cut = int(rng.integers(1, size)) if size > 2 and rng.random() < 0.5 else size
    start = [int(rng.integers(0 if k < cut else cut, k)) for k in range(1, size) if k != cut]
    stop = [k for k in range(1, size) if k != cut]
    for _ in range(chords):
        first, last = (0, cut) if rng.random() < 0.5 or cut == size else (cut, size)
        a, b = rng.integers(first, last, 2)
        if a != b:
            start.append(int(a))
            stop.append(int(b))
    start, stop = np.array(start, np.int32), np.array(stop, np.int32)
    turned = rng.random(len(start)) < 0.5
    start, stop = np.where(turned, stop, start), np.where(turned, start, stop)
    behind = np.array([cut] if cut < size else [], np.int32)
    ahead = np.array([rng.integers(0, cut)] if cut < size else [], np.int32)
    regulators = (ahead, behind, np.ones(len(behind), bool))
    network = span(size, (start, stop, np.ones(len(start), bool)), np.zeros(1, np.int32), regulators)
    forward = np.where(network.pipe >= 0, np.where(stop[network.pipe] == np.arange(size), 1.0, -1.0), 1.0)
    ends = (start[network.chords], stop[network.chords])
    forest = pipe.Forest(network.order, network.parent, network.pipe, forward, network.chords, *ends)
    held = np.full(size, np.nan)
    held[0], held[behind] = 25.0, 4.0
    return forest, random_pipes(rng, len(start)), held


def random_pipes(rng, count):
    given = np.where(rng.random(count) < 0.2, rng.uniform(0.005, 0.05, count), np.nan)
    return pipe.Pipes(
        10 ** rng.uniform(-7, -4, count),
        np.where(rng.random(count) < 0.3, 10 ** rng.uniform(-7, -5, count), 0.0),
        10 ** rng.uniform(1, 3, count),
        10 ** rng.uniform(-5, -2, count),
        given,
    )


@pytest.mark.parametrize("compiled", [True, False])
def test_friction_and_drops_equal_their_slow_twins(compiled):
    rng = np.random.default_rng(3)
    friction, drop, mean = (
        k if compiled else k.py_func for k in (pipe.friction_factor, pipe.squared_drop, pipe.mean_pressure)
    )
    pipes = random_pipes(rng, 50)
    for _ in range(1000):
        reynolds, wall, law = 10 ** rng.uniform(-2, 8), 10 ** rng.uniform(-6, -1.5), int(rng.integers(2))
        assert friction(reynolds, wall, law) == pytest.approx(naive_pipe.friction_factor(reynolds, wall, law), rel=1e-9)
        flow, k = float(rng.normal(0, 100)), int(rng.integers(50))
        assert drop(flow, k, pipes, law) == pytest.approx(naive_pipe.drop(flow, k, pipes, law), rel=1e-9)
        first, second = rng.uniform(0.1, 100, 2)
        assert mean(first, second) == pytest.approx(naive_pipe.mean_pressure(first, second), rel=1e-9)


@pytest.mark.parametrize("compiled", [True, False])
def test_sweeps_equal_their_slow_twins_on_a_thousand_networks(compiled):
    rng = np.random.default_rng(11)
    flows, pressures = (k if compiled else k.py_func for k in (pipe.forest_flows, pipe.forest_pressures))
    for _ in range(1000):
        forest, pipes, held = random_forest(rng, int(rng.integers(2, 9)), int(rng.integers(0, 3)))
        taken, chord = rng.normal(5, 20, len(held)), rng.normal(0, 3, len(forest.chords))
        law, slope = int(rng.integers(2)), float(rng.uniform(-0.003, 0.0))
        flow = flows(forest, taken, chord)
        np.testing.assert_allclose(flow, naive_pipe.flows_of(forest, taken, chord), rtol=1e-9, atol=1e-9)
        found = pressures(forest, pipes, law, np.array([1.0]), np.array([slope]), flow, held)
        for at in range(len(held)):
            expected = naive_pipe.squared_pressure(at, forest, pipes, law, 1.0, slope, flow, held)
            if expected > 1e-3:  # below, the mean pressure is that of no gas
                assert found[at] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("compiled", [True, False])
def test_the_jacobian_is_the_slope_of_the_residual(compiled):
    rng = np.random.default_rng(5)
    jacobian, effects, residual, factors = (
        k if compiled else k.py_func
        for k in (
            pipe_loops.loop_jacobian,
            pipe_loops.chord_effects,
            pipe_loops.loop_residual,
            pipe_loops.compressibility,
        )
    )
    one, none = np.array([0.9]), np.array([0.0])
    tested = 0
    while tested < 200:
        forest, pipes, held = random_forest(rng, int(rng.integers(3, 9)), 3)
        loops = len(forest.chords)
        if not loops:
            continue
        tested += 1
        taken, chord, move = rng.normal(3, 5, len(held)), rng.normal(2, 5, loops), rng.normal(0, 1, loops)

        def rest(chord, forest=forest, pipes=pipes, held=held, taken=taken):
            flow = pipe.forest_flows(forest, taken, chord)
            squared = pipe.forest_pressures(forest, pipes, 0, one, none, flow, held)
            return residual(forest, pipes, 0, one, none, squared, chord), flow, squared

        found, flow, squared = rest(chord)
        z = factors(forest, one, none, squared, len(pipes.wall))
        assert (z == 0.9).all()
        slope = jacobian(forest, pipes, 0, z, flow, chord, effects(forest)) @ move
        measured = (rest(chord + 1e-4 * move)[0] - rest(chord - 1e-4 * move)[0]) / 2e-4
        np.testing.assert_allclose(slope, measured, rtol=1e-4, atol=1e-6 * np.abs(found).max() + 1e-9)


def test_one_pipe_in_closed_form():
    """Ten kilometres of 0.5 m at a given friction factor: p2 = sqrt(p1^2 - lambda L / D rho_n p_n T / T_n (Q/A)^2)."""
    density, kelvin, length, diameter, flow = 0.8, 283.15, 10_000.0, 0.5, 50_000.0
    area = math.pi / 4 * diameter**2
    scale = 1.01325 * density * kelvin / (1e5 * 273.15 * (3600 * area) ** 2)
    pipes = pipe.Pipes(*(np.array([v]) for v in (scale * length / diameter, 0.0, 1.0, 1e-4, 0.012)))
    forest, _, _ = random_forest(np.random.default_rng(0), 2)
    one, none = np.array([1.0]), np.array([0.0])
    flows = pipe.forest_flows(forest, np.array([0.0, flow]), np.zeros(0))
    found = pipe.forest_pressures(forest, pipes, 0, one, none, flows, np.array([1600.0, np.nan]))
    mass_flux = flow * density / 3600 / area
    expected = (40e5) ** 2 - 0.012 * length / diameter * mass_flux**2 * 101325 / density * kelvin / 273.15
    assert math.sqrt(found[1]) == pytest.approx(math.sqrt(expected) / 1e5, rel=1e-12)


def test_known_friction_factors():
    assert pipe.friction_factor(1e5, 1e-3, 1) == pytest.approx(0.0222, abs=1e-4)  # Moody's diagram
    assert pipe.friction_factor(1e7, 1e-4, 1) == pytest.approx(0.0121, abs=1e-4)
    assert pipe.friction_factor(500.0, 1e-3, 1) == 64 / 500
    assert pipe.friction_factor(1e9, 1e-3, 0) == pytest.approx(0.0196, abs=1e-4)  # wholly rough


def test_nothing_flows_nothing_drops():
    pipes = random_pipes(np.random.default_rng(1), 20)
    for k in range(20):
        for law in (0, 1):
            assert pipe.squared_drop(0.0, k, pipes, law) == 0.0
            assert pipe.drop_slope(0.0, k, pipes, law) > 0.0
            assert pipe.squared_drop(-7.0, k, pipes, law) == -pipe.squared_drop(7.0, k, pipes, law)
