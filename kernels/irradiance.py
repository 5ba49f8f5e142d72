"""Light on a tilted plane, in pvlib's equations and names, for a number or a vector of them.

Angles come as what the equations need of them, mostly cosines, so that the chain forms each only once. A division takes
as long as a dozen products, so quotients of one function share one.
"""

from __future__ import annotations

import math

import numpy as np

from kernels._jit import fused_kernel
from kernels._vector import greatest, least, root, select

RAD = math.pi / 180.0
LEAST_COS_ERBS = 0.065
COS_87 = math.cos(87.0 * RAD)
COS_85 = math.cos(85.0 * RAD)
GLASS, ABSORPTION = 1.526, 4.0 * 0.002
SCALE = math.exp(ABSORPTION) / (1.0 - ((GLASS - 1.0) / (GLASS + 1.0)) ** 2)
NONE = 1e-24
"""Square of diffuse light that is none. [W2 m-4]"""
LONGEST = 96.07995 * RAD
"""Zenith at which the airmass of Kasten and Young ends. [rad]"""
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
BEND = np.array([
    0.0006546297821204673, 0.0028746986534592916, 0.0023695688374191113, 0.0002993693698035865, -4.468588895624863e-06,
])
BEND_UNDER = np.array([
    -1.2335498817938685e-05, 0.00043859950512946914, -0.009797430642705515, 0.44762114416581966, 3.415415343868705,
    4.372872953438598,
])
"""Polynomials in the root of x [rad], the lower with its sixth power: their quotient is 0.50572 x^-1.6364, x in
degree."""
# fmt: on


@fused_kernel
def erbs(ghi: np.ndarray, cos_zenith: np.ndarray, dni_extra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split global into beam and diffuse irradiance.

    Parameters
    ----------
    ghi : float or vector
        Global horizontal irradiance. [W m-2]
    cos_zenith : float or vector
        Of the sun, without refraction.
    dni_extra : float or vector
        Irradiance outside the atmosphere. [W m-2]

    Returns
    -------
    float or vector, twice
        ``dni`` and ``dhi``. [W m-2]

    References
    ----------
    .. [1] D. Erbs, S. Klein, J. Duffie, "Estimation of the diffuse radiation fraction for hourly, daily and
       monthly-average global radiation", Solar Energy 28 (1982) 293, :doi:`10.1016/0038-092X(82)90302-4`
    """
    most, least_up = dni_extra * greatest(cos_zenith, LEAST_COS_ERBS), greatest(cos_zenith, COS_87)
    inverse = 1.0 / (most * least_up)
    kt = least(greatest(ghi * (inverse * least_up), 0.0), 1.0)
    kt2 = kt * kt
    fraction = (0.9511 - 0.1604 * kt) + kt2 * ((4.388 - 16.638 * kt) + 12.336 * kt2)
    fraction = select(kt <= 0.22, 1.0 - 0.09 * kt, fraction)
    fraction = select(kt > 0.8, 0.165, fraction)
    fraction = select(cos_zenith < COS_87, 1.0, select(ghi < 0.0, 1.0, fraction))
    dhi = fraction * ghi
    return (ghi - dhi) * (inverse * most), dhi


@fused_kernel
def relative_airmass(cos_zenith: np.ndarray, zenith: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Relative optical airmass after Kasten and Young, as a quotient.

    Parameters
    ----------
    cos_zenith : float or vector
        Cosine of the apparent zenith.
    zenith : float or vector
        Apparent zenith, up to 90 degree. [rad]

    Returns
    -------
    float or vector, twice
        Numerator and denominator; at sea level, 1 where the sun is in the zenith.

    Notes
    -----
    The power of the equation is a quotient of polynomials: the airmass is within 5e-13.

    References
    ----------
    .. [1] F. Kasten, A. Young, "Revised optical air mass tables and approximation formula", Applied Optics 28 (1989)
       4735, :doi:`10.1364/AO.28.004735`
    """
    x, a, b = root(LONGEST - zenith), BEND, BEND_UNDER
    x2 = x * x
    x4 = x2 * x2
    over = (a[0] + a[1] * x) + (a[2] + a[3] * x) * x2 + a[4] * x4
    under = (b[0] + b[1] * x) + (b[2] + b[3] * x) * x2 + ((b[4] + b[5] * x) + x2) * x4
    return under, cos_zenith * under + over


@fused_kernel
def _of_bin(k: int, clearness: np.ndarray) -> np.ndarray:
    """Coefficient of Perez's bin, chosen by comparing: a table cannot be read by whole vectors."""
    c = select(clearness >= BINS[0], SKY[1, k], SKY[0, k])
    c = select(clearness >= BINS[1], SKY[2, k], c)
    c = select(clearness >= BINS[2], SKY[3, k], c)
    c = select(clearness >= BINS[3], SKY[4, k], c)
    c = select(clearness >= BINS[4], SKY[5, k], c)
    c = select(clearness >= BINS[5], SKY[6, k], c)
    return select(clearness >= BINS[6], SKY[7, k], c)


@fused_kernel
def perez(
    dhi: np.ndarray, dni: np.ndarray, dni_extra: np.ndarray, zenith: np.ndarray, cos_zenith: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Diffuse irradiance from the sky after Perez, all sites composite 1990, in three parts for any plane.

    Parameters
    ----------
    dhi, dni, dni_extra : float or vector
        Diffuse and beam irradiance, the latter also outside the atmosphere. [W m-2]
    zenith, cos_zenith : float or vector
        Apparent zenith, up to 90 degree [rad], and its cosine.

    Returns
    -------
    float or vector, three times
        From the dome, around the sun and near the horizon. On a plane these count by (1 + cosine of its tilt), by the
        cosine of the angle of incidence and by the sine of its tilt. [W m-2]

    Notes
    -----
    No diffuse light gives 0; pvlib gives NaN where there is no beam either.

    References
    ----------
    .. [1] R. Perez et al., "Modeling daylight availability and irradiance components from direct and global
       irradiance", Solar Energy 44 (1990) 271, :doi:`10.1016/0038-092X(90)90055-H`
    """
    cubed = 1.0 + 1.041 * zenith * (zenith * zenith)
    some = select(dhi * dhi > NONE, dhi, 1.0) * cubed
    under, over = relative_airmass(cos_zenith, zenith)
    air, high = over * dni_extra, greatest(cos_zenith, COS_85)
    air_high = air * high
    inverse = 1.0 / (some * air_high)
    some_inverse = some * inverse
    clearness = (dni + dhi * cubed) * (air_high * inverse)
    brightness = dhi * under * (some_inverse * high)
    around = greatest(_of_bin(0, clearness) + _of_bin(1, clearness) * brightness + _of_bin(2, clearness) * zenith, 0.0)
    horizon = _of_bin(3, clearness) + _of_bin(4, clearness) * brightness + _of_bin(5, clearness) * zenith
    circumsolar = dhi * around
    return 0.5 * (dhi - circumsolar), circumsolar * (some_inverse * air), dhi * horizon


@fused_kernel
def haydavies(
    dhi: np.ndarray, dni: np.ndarray, dni_extra: np.ndarray, cos_zenith: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Diffuse irradiance from the sky after Hay and Davies, in three parts for any plane.

    Parameters
    ----------
    dhi, dni, dni_extra : float or vector
        Diffuse and beam irradiance, the latter also outside the atmosphere. [W m-2]
    cos_zenith : float or vector
        Cosine of the apparent zenith.

    Returns
    -------
    float or vector, three times
        As of `perez`; none is near the horizon. [W m-2]

    References
    ----------
    .. [1] P. Loutzenhiser et al., "Empirical validation of models to compute solar irradiance on inclined surfaces for
       building energy simulation", Solar Energy 81 (2007) 254, :doi:`10.1016/j.solener.2006.03.009`
    """
    high = greatest(cos_zenith, 0.01745)
    inverse = 1.0 / (dni_extra * high)
    anisotropy = dni * (inverse * high)
    around = greatest(dhi * anisotropy * (inverse * dni_extra), 0.0)
    return 0.5 * greatest(dhi - dhi * anisotropy, 0.0), around, 0.0 * dhi


@fused_kernel
def physical(cos_aoi: np.ndarray, cooling: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of beam light that passes the glass, against normal incidence.

    Parameters
    ----------
    cos_aoi : float or vector
        Cosine of the angle of incidence, at least 0.
    cooling : float or vector
        Anything but 0, whose reciprocal comes from the same division.

    Returns
    -------
    float or vector, twice
        Incidence angle modifier (glass of index 1.526, 2 mm thick, extinction 4 m-1), and ``1 / cooling``.

    Notes
    -----
    Of either polarisation ``4 n cos_aoi inside / sum**2`` passes the surface, the sum being of its own.

    References
    ----------
    .. [1] W. De Soto, S. Klein, W. Beckman, "Improvement and validation of a model for photovoltaic array performance",
       Solar Energy 80 (2006) 78, :doi:`10.1016/j.solener.2005.06.010`
    """
    inside = root((1.0 - 1.0 / (GLASS * GLASS)) + cos_aoi * (cos_aoi * (1.0 / (GLASS * GLASS))))
    s_sum, p_sum = cos_aoi + GLASS * inside, inside + GLASS * cos_aoi
    sums, cooled = s_sum * p_sum, inside * cooling
    inverse = 1.0 / (sums * cooled)
    both = inverse * cooled
    passed = (cos_aoi * inside) * (s_sum * s_sum + p_sum * p_sum) * (both * both)
    inverse = inverse * sums
    x = ABSORPTION * (inverse * cooling)  # between 0.008 and 0.0106: a series of the exponential, within 1e-12
    kept = 1.0 - x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0))))
    return (2.0 * GLASS * SCALE) * passed * kept, inverse * inside
