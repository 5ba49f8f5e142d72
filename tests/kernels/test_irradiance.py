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
    found = [ours.relative_airmass(math.cos(math.radians(z)), z) for z in zenith]
    np.testing.assert_allclose(found, theirs, rtol=1e-10)


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
        found = ours.perez(
            dhi[k], dni[k], dhi[k] * airmass[k] / 1350.0, z, math.cos(z), aoi[k], math.sin(b), math.cos(b)
        )
        assert found == pytest.approx(perez[k], abs=1e-9)
        found = ours.haydavies(dhi[k], dni[k], 1350.0, math.cos(z), aoi[k], math.cos(b))
        assert found == pytest.approx(haydavies[k], abs=1e-9)


def test_physical() -> None:
    aoi = np.linspace(0, 90, COUNT)
    found = [ours.physical(max(math.cos(math.radians(a)), 0.0)) for a in aoi]
    np.testing.assert_allclose(found, pvlib.iam.physical(aoi), rtol=0, atol=1e-11)


def test_no_diffuse_light_is_none_on_the_plane() -> None:
    assert ours.perez(0.0, 0.0, 0.0, 0.5, 0.9, 0.5, 0.5, 0.8) == 0.0
    assert ours.perez(0.0, 500.0, 0.0, 0.5, 0.9, 0.5, 0.5, 0.8) == 0.0
    assert math.isnan(ours.perez(math.nan, 500.0, 0.1, 0.5, 0.9, 0.5, 0.5, 0.8))
