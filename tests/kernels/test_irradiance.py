from __future__ import annotations

import math

import numpy as np
import pvlib
import pytest

from kernels import irradiance as ours

COUNT = 1000


@pytest.fixture(name="rng")
def _rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_erbs(rng: np.random.Generator) -> None:
    zenith, ghi = rng.uniform(0, 100, COUNT), rng.uniform(-5, 1300, COUNT)
    theirs = pvlib.irradiance.erbs(ghi, zenith, np.full(COUNT, 100))
    extra = float(pvlib.irradiance.get_extra_radiation(100))
    found = np.array([ours.erbs(g, math.cos(math.radians(z)), extra) for g, z in zip(ghi, zenith, strict=True)])
    np.testing.assert_allclose(found[:, 0], theirs["dni"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found[:, 1], theirs["dhi"], rtol=0, atol=1e-9)


def test_relative_airmass(rng: np.random.Generator) -> None:
    zenith = np.r_[0.0, 90.0, rng.uniform(0, 90, COUNT)]
    theirs = pvlib.atmosphere.get_relative_airmass(zenith)
    found = np.array([ours.relative_airmass(math.cos(math.radians(z)), math.radians(z)) for z in zenith])
    np.testing.assert_allclose(found[:, 0] / found[:, 1], theirs, rtol=1e-12)


def test_skies(rng: np.random.Generator) -> None:
    zenith, azimuth = rng.uniform(0, 90, COUNT), rng.uniform(0, 360, COUNT)
    tilt, facing = rng.uniform(0, 90, COUNT), rng.uniform(0, 360, COUNT)
    dhi, dni = rng.uniform(0.1, 500, COUNT), rng.uniform(0, 1000, COUNT) * (rng.random(COUNT) < 0.8)
    airmass = pvlib.atmosphere.get_relative_airmass(zenith)
    perez = pvlib.irradiance.perez(tilt, facing, dhi, dni, 1350.0, zenith, azimuth, airmass)
    haydavies = pvlib.irradiance.haydavies(tilt, facing, dhi, dni, 1350.0, zenith, azimuth)
    aoi = np.maximum(pvlib.irradiance.aoi_projection(tilt, facing, zenith, azimuth), 0)
    for k in range(COUNT):
        z, b = math.radians(zenith[k]), math.radians(tilt[k])
        counts = 1 + math.cos(b), aoi[k], math.sin(b)
        found = np.dot(ours.perez(dhi[k], dni[k], 1350.0, z, math.cos(z)), counts)
        # The airmass is within 1e-12 of itself; near the horizon this sky is many times as bright as any.
        assert max(found, 0.0) == pytest.approx(perez[k], abs=1e-9, rel=1e-12)
        found = np.dot(ours.haydavies(dhi[k], dni[k], 1350.0, math.cos(z)), counts)
        assert found == pytest.approx(haydavies[k], abs=1e-9)


def test_physical() -> None:
    aoi = np.linspace(0, 90, COUNT)
    cooling = np.random.default_rng(3).uniform(10, 200, COUNT)
    found = np.array([ours.physical(max(math.cos(math.radians(a)), 0.0), c) for a, c in zip(aoi, cooling, strict=True)])
    np.testing.assert_allclose(found[:, 0], pvlib.iam.physical(aoi), rtol=0, atol=1e-11)
    np.testing.assert_allclose(found[:, 1], 1 / cooling, rtol=1e-14)


def test_no_diffuse_light_is_none_on_the_plane() -> None:
    for dhi in (0.0, 1e-310):
        assert max(ours.perez(dhi, 0.0, 1350.0, 0.5, 0.9)) < 1e-300
        assert max(ours.perez(dhi, 500.0, 1350.0, 0.5, 0.9)) < 1e-300
    assert all(map(math.isnan, ours.perez(math.nan, 500.0, 1350.0, 0.5, 0.9)))
