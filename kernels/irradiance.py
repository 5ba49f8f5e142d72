"""Light on a tilted plane, in pvlib's equations and names, one instant at a time.

Angles come as what the equations need of them, mostly cosines, so that the chain forms each only once.
"""

from __future__ import annotations

import math

import numpy as np

from kernels._jit import fused_kernel

RAD = math.pi / 180.0
LEAST_COS_ERBS = 0.065
COS_87 = math.cos(87.0 * RAD)
COS_85 = math.cos(85.0 * RAD)
GLASS, ABSORPTION = 1.526, 4.0 * 0.002
SCALE = math.exp(ABSORPTION) / (1.0 - ((GLASS - 1.0) / (GLASS + 1.0)) ** 2)
BINS = np.array([1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2])
"""Upper ends of the clearness of Perez's bins."""
# fmt: off
SKY = np.array([
    (-0.008, 0.588, -0.062, -0.060, 0.072, -0.022),
    (0.130, 0.683, -0.151, -0.019, 0.066, -0.029),
    (0.330, 0.487, -0.221, 0.055, -0.064, -0.026),
    (0.568, 0.187, -0.295, 0.109, -0.152, -0.014),
    (0.873, -0.392, -0.362, 0.226, -0.462, 0.001),
    (1.132, -1.237, -0.412, 0.288, -0.823, 0.056),
    (1.060, -1.600, -0.359, 0.264, -1.127, 0.131),
    (0.678, -0.327, -0.250, 0.156, -1.377, 0.251),
])
"""Coefficients of Perez's bins, all sites composite 1990: three of the circumsolar part, three of the horizon."""
POWER = np.array([
    0.08884666750584516, 2.5960441275550745, -8.918977903586194, 34.665434804739256, -107.07197426886257,
    251.20842328536162, -440.7718935399177, 568.3671054537166, -522.6804218953966, 324.49806263391656,
    -121.91727695070283, 20.942354564846617,
])
"""Chebyshev fit of q^0.5456 for q from 0.315 to 0.645."""
# fmt: on


@fused_kernel
def erbs(ghi: float, cos_zenith: float, dni_extra: float) -> tuple[float, float]:
    """Split global into beam and diffuse irradiance.

    Parameters
    ----------
    ghi : float
        Global horizontal irradiance. [W m-2]
    cos_zenith : float
        Of the sun, without refraction.
    dni_extra : float
        Irradiance outside the atmosphere. [W m-2]

    Returns
    -------
    float, float
        ``dni`` and ``dhi``. [W m-2]

    References
    ----------
    .. [1] D. Erbs, S. Klein, J. Duffie, "Estimation of the diffuse radiation fraction for hourly, daily and
       monthly-average global radiation", Solar Energy 28 (1982) 293, :doi:`10.1016/0038-092X(82)90302-4`
    """
    kt = min(max(ghi / (dni_extra * max(cos_zenith, LEAST_COS_ERBS)), 0.0), 1.0)
    fraction = 0.9511 + kt * (-0.1604 + kt * (4.388 + kt * (-16.638 + kt * 12.336)))
    fraction = 1.0 - 0.09 * kt if kt <= 0.22 else fraction
    fraction = 0.165 if kt > 0.8 else fraction
    fraction = 1.0 if cos_zenith < COS_87 or ghi < 0.0 else fraction
    dhi = fraction * ghi
    return (ghi - dhi) / max(cos_zenith, COS_87), dhi


@fused_kernel
def relative_airmass(cos_zenith: float, zenith: float) -> float:
    """Relative optical airmass after Kasten and Young.

    Parameters
    ----------
    cos_zenith : float
        Cosine of the apparent zenith.
    zenith : float
        Apparent zenith, up to 90. [degree]

    Returns
    -------
    float
        At sea level, 1 where the sun is in the zenith.

    Notes
    -----
    Of x to the power -1.6364 = q^6.5456, with q the fourth root of 1 / x, q^0.5456 is a polynomial: within 2e-11, in a
    third of the time.

    References
    ----------
    .. [1] F. Kasten, A. Young, "Revised optical air mass tables and approximation formula", Applied Optics 28 (1989)
       4735, :doi:`10.1364/AO.28.004735`
    """
    q = 1.0 / math.sqrt(math.sqrt(96.07995 - zenith))
    a = POWER
    q2 = q * q
    q4 = q2 * q2
    low = (a[0] + a[1] * q) + (a[2] + a[3] * q) * q2
    middle = (a[4] + a[5] * q) + (a[6] + a[7] * q) * q2
    p: float = low + (middle + ((a[8] + a[9] * q) + (a[10] + a[11] * q) * q2) * q4) * q4
    return 1.0 / (cos_zenith + 0.50572 * q4 * q2 * p)


@fused_kernel
def _of_bin(k: int, clearness: float) -> float:
    """Coefficient of Perez's bin, chosen by comparing: a table cannot be read by whole vectors."""
    c: float = SKY[0, k]
    c = SKY[1, k] if clearness >= BINS[0] else c
    c = SKY[2, k] if clearness >= BINS[1] else c
    c = SKY[3, k] if clearness >= BINS[2] else c
    c = SKY[4, k] if clearness >= BINS[3] else c
    c = SKY[5, k] if clearness >= BINS[4] else c
    c = SKY[6, k] if clearness >= BINS[5] else c
    return SKY[7, k] if clearness >= BINS[6] else c


@fused_kernel
def perez(
    dhi: float,
    dni: float,
    brightness: float,
    zenith: float,
    cos_zenith: float,
    cos_aoi: float,
    sin_tilt: float,
    cos_tilt: float,
) -> float:
    """Diffuse irradiance from the sky on a plane after Perez, all sites composite 1990.

    Parameters
    ----------
    dhi, dni : float
        Diffuse and beam irradiance. [W m-2]
    brightness : float
        ``dhi`` times airmass over ``dni_extra``.
    zenith, cos_zenith : float
        Apparent zenith [rad] and its cosine.
    cos_aoi : float
        Of the angle of incidence, at least 0.
    sin_tilt, cos_tilt : float
        Of the plane's tilt.

    Returns
    -------
    float
        [W m-2]

    Notes
    -----
    No diffuse light gives 0; pvlib gives NaN where there is no beam either.

    References
    ----------
    .. [1] R. Perez et al., "Modeling daylight availability and irradiance components from direct and global
       irradiance", Solar Energy 44 (1990) 271, :doi:`10.1016/0038-092X(90)90055-H`
    """
    some = dhi if dhi != 0.0 else 1.0
    cubed = 1.041 * zenith * zenith * zenith
    clearness = (dhi + dni + cubed * dhi) / (some + cubed * some)
    around = max(_of_bin(0, clearness) + _of_bin(1, clearness) * brightness + _of_bin(2, clearness) * zenith, 0.0)
    horizon = _of_bin(3, clearness) + _of_bin(4, clearness) * brightness + _of_bin(5, clearness) * zenith
    dome = 0.5 * (1.0 - around) * (1.0 + cos_tilt)
    light: float = dhi * (dome + around * cos_aoi / max(cos_zenith, COS_85) + horizon * sin_tilt)
    return max(light, 0.0)  # NaN stays


@fused_kernel
def haydavies(dhi: float, dni: float, dni_extra: float, cos_zenith: float, cos_aoi: float, cos_tilt: float) -> float:
    """Diffuse irradiance from the sky on a plane after Hay and Davies.

    Parameters
    ----------
    dhi, dni, dni_extra : float
        Diffuse and beam irradiance, the latter also outside the atmosphere. [W m-2]
    cos_zenith : float
        Cosine of the apparent zenith.
    cos_aoi, cos_tilt : float
        Of the angle of incidence, at least 0, and of the plane's tilt.

    Returns
    -------
    float
        [W m-2]

    References
    ----------
    .. [1] P. Loutzenhiser et al., "Empirical validation of models to compute solar irradiance on inclined surfaces for
       building energy simulation", Solar Energy 81 (2007) 254, :doi:`10.1016/j.solener.2006.03.009`
    """
    anisotropy = dni / dni_extra
    dome = max(dhi * (1.0 - anisotropy) * 0.5 * (1.0 + cos_tilt), 0.0)
    return dome + max(dhi * anisotropy * cos_aoi / max(cos_zenith, 0.01745), 0.0)


@fused_kernel
def physical(cos_aoi: float) -> float:
    """Share of beam light that passes the glass, against normal incidence.

    Parameters
    ----------
    cos_aoi : float
        Cosine of the angle of incidence, at least 0.

    Returns
    -------
    float
        Incidence angle modifier; glass of index 1.526, 2 mm thick, extinction 4 m-1.

    References
    ----------
    .. [1] W. De Soto, S. Klein, W. Beckman, "Improvement and validation of a model for photovoltaic array performance",
       Solar Energy 80 (2006) 78, :doi:`10.1016/j.solener.2005.06.010`
    """
    inside = math.sqrt(1.0 - (1.0 - cos_aoi * cos_aoi) * (1.0 / (GLASS * GLASS)))
    s_sum, p_sum = cos_aoi + GLASS * inside, inside + GLASS * cos_aoi
    s_difference, p_difference = (cos_aoi - GLASS * inside) * p_sum, (inside - GLASS * cos_aoi) * s_sum
    both = 1.0 / (s_sum * p_sum * inside)
    x = ABSORPTION * s_sum * p_sum * both  # between 0.008 and 0.0106: a series of the exponential, within 1e-12
    both *= inside
    reflected = 0.5 * (s_difference * s_difference + p_difference * p_difference) * both * both
    return SCALE * (1.0 - reflected) * (1.0 - x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0)))))
