"""The Helmholtz equation: second order against plane waves and references, energy balance, symmetry."""

import itertools
import json
import math

import numpy as np
import pytest
import torch

from references.trajectories import VECTORS
from vcycle.problems import Helmholtz, LogNormal, TwoPhase
from vcycle.spaces import L2, Domain, Grid

CONSTANT = LogNormal(sigma=0.0)


def solved(P: Helmholtz, c: torch.Tensor, f: torch.Tensor) -> torch.Tensor:
    """u as complex numbers."""
    u = P.solve(torch.cat([c, f], 1)).value
    return torch.complex(u[:, :1], u[:, 1:]) if P.absorbing else u.to(torch.complex128)


def orders(errors: list[float]) -> list[float]:
    return [math.log2(e / finer) for e, finer in itertools.pairwise(errors)]


def test_second_order_for_a_wave_that_is_let_out():
    """-u'' - k^2 u = 0 on (0, 1), u(0) = 0, du/dn - i k u = g at 1: u = sin(k x); g is a source in the last cell."""
    k, errors = 20.0, []
    P = Helmholtz(Domain([1.0], [("dirichlet", "neumann")]), omega=k, source="gaussian")
    for n in (64, 128, 256):
        h, x = 1 / n, Grid(P.domain, (n,)).axis(0)
        g = k * np.exp(-1j * k)
        load = torch.zeros(2, 1, n, dtype=torch.float64)
        load[:, 0, -1] = torch.tensor([g.real, g.imag]) / h
        # The face passes g / (1 - i k h/2) on; the equation is linear, so real and imaginary part are solved apart.
        parts = solved(P, torch.ones_like(load), load) / (1 - 0.5j * k * h)
        u = parts[0] + 1j * parts[1]
        errors.append(float((u[0] - torch.sin(k * x)).abs().max()))
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.1)


def reference(name: str) -> tuple[dict, dict[str, torch.Tensor]]:
    file = VECTORS / f"{name}.npz"
    if not file.exists():
        pytest.skip("reference vectors are not beside this checkout")
    z = np.load(file)
    return json.loads(str(z["config"])), {key: torch.from_numpy(z[key]) for key in z.files if key != "config"}


@pytest.mark.parametrize("faces", ["dirichlet", "impedance"])
def test_second_order_to_the_reference_plane_waves(faces):
    """The data on the faces enter as sources in the cells next to them."""
    about, z = reference("pde_helmholtz_planewaves")
    k, theta = float(about["k"]), float(about["theta"])
    waves = [(1.0, math.cos(theta), math.sin(theta)), (0.5, math.sin(theta), -math.cos(theta))]

    def exact(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return sum(a * torch.exp(1j * k * (p * x + q * y)) for a, p, q in waves)

    torch.testing.assert_close(exact(z["x"], z["y"]), z["u"], rtol=0, atol=1e-12)
    impedance = faces == "impedance"
    domain = Domain.unit(2, "neumann" if impedance else "dirichlet")
    P, errors = Helmholtz(domain, omega=k, absorbing=impedance, source="gaussian"), []
    for n in (16, 32, 64):
        x, y = Grid(domain, (n, n)).mesh()
        f = sum(_face_load(exact, waves, k, n, axis, side, impedance) for axis in (0, 1) for side in (0, 1))
        both = torch.stack([f.real, f.imag])[:, None]
        u = solved(P, torch.ones_like(both), both)
        errors.append(
            float(
                L2(domain).relative(
                    *(torch.view_as_real(v)[None].movedim(-1, 1) for v in ((u[0] + 1j * u[1])[0], exact(x, y)))
                )
            )
        )
    assert errors[-1] < 0.02
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.15)


def _face_load(exact, waves, k: float, n: int, axis: int, side: int, impedance: bool) -> torch.Tensor:
    """What the data of one face add to the source of the cells beside it."""
    h = 1 / n
    along = Grid(Domain.unit(1), (n,)).axis(0)
    at = torch.full_like(along, float(side))
    x, y = (at, along) if axis == 0 else (along, at)
    if impedance:
        sign = 2 * side - 1
        g = sum(1j * k * (sign * (p, q)[axis] - 1) * a * torch.exp(1j * k * (p * x + q * y)) for a, p, q in waves)
        values = g / (1 - 0.5j * k * h) / h
    else:
        values = 2 * exact(x, y) / h**2
    f = torch.zeros(n, n, dtype=torch.complex128)
    f.select(axis, -side).copy_(values)
    return f


def test_the_digits_of_the_reference_with_a_varying_speed_near_a_resonance():
    """du/dn = 1 on a part of the upper side, walls elsewhere; c bilinear between nodes, u compared at inner nodes.

    omega^2 is so near an eigenvalue that the resonance of the grid lies between 80 and 120 cells per side, where u has
    another sign, and u is still 28 % too large at 240. But u = v / s with v of the same size on every grid, and
    v and s are power series in h^2, which five grids extrapolate to the digits that the reference has.
    """
    about, z = reference("pde_helmholtz_neumann")
    omega, low, high = (float(about[name]) for name in ("omega", "x0", "x1"))
    nodes, expected = z["c"].shape[0] - 1, z["u"][1:-1, 1:-1]
    P, found = Helmholtz(Domain.unit(2, "neumann"), omega=omega, absorbing=False, source="gaussian"), []
    finer = (2, 3, 4, 5, 6)
    for n in (nodes * k for k in finer):
        x = Grid(P.domain, (n, n)).axis(0)
        f = torch.zeros(1, 1, n, n, dtype=torch.float64)
        f[0, 0, :, -1] = ((x > low) & (x < high)) * float(n)
        u = solved(P, bilinear(z["c"], n)[None, None], f)[0, 0].real
        corners = (u[1:, 1:] + u[:-1, 1:] + u[1:, :-1] + u[:-1, :-1]) / 4
        found.append(corners[n // nodes - 1 :: n // nodes, n // nodes - 1 :: n // nodes])
    inverse = [1 / (u * found[-1]).sum() for u in found]
    assert inverse[0] * inverse[1] < 0
    limit = extrapolated(finer, inverse)
    assert math.log((inverse[2] - limit) / (inverse[4] - limit), 6 / 4) == pytest.approx(2.0, abs=0.05)
    u = extrapolated(finer, [u * s for u, s in zip(found, inverse, strict=True)]) / limit
    digits = 10 * float(about["rel_err_estimate_max"])
    assert (found[-1] - expected).abs().max() > 0.2 * expected.abs().max()
    assert (u - expected).abs().max() < digits * expected.abs().max()


def extrapolated(finer: tuple[int, ...], values: list[torch.Tensor]) -> torch.Tensor:
    """The value for h = 0 of the polynomial in h^2 through values on grids with h = 1 / finer."""
    x = [1 / k**2 for k in finer]
    weights = [math.prod(other / (other - own) for other in x if other != own) for own in x]
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def bilinear(nodal: torch.Tensor, n: int) -> torch.Tensor:
    """Values at the centres of n x n cells of the bilinear interpolant of nodal values."""
    m = nodal.shape[0] - 1
    x = (torch.arange(n, dtype=torch.float64) + 0.5) * m / n
    left = x.long().clamp(max=m - 1)
    share = (x - left).view(-1, 1)
    rows = nodal[left] * (1 - share) + nodal[left + 1] * share
    columns = rows.T
    return (columns[left] * (1 - share) + columns[left + 1] * share).T


def test_what_the_source_feeds_in_leaves_through_the_faces():
    """Im of (f, u) is the flux through absorbing faces, so it has one sign."""
    P = Helmholtz()
    c = P.sample((32, 32), 0, range(4))
    u = P.solve(c).value
    f = P._fields(c)[1]
    assert bool(((f * u[:, 1:]).flatten(1).sum(1) > 0).all())


def test_source_and_receiver_may_be_exchanged():
    P = Helmholtz(prior=TwoPhase(1.0, 2.0), omega=10.0, source="gaussian")
    c = P.sample((16, 16), 0, [0])[:, :1].expand(2, 1, 16, 16)
    f = torch.zeros(2, 1, 16, 16, dtype=torch.float64)
    f[0, 0, 3, 4] = f[1, 0, 10, 12] = 1.0
    u = solved(P, c, f)
    torch.testing.assert_close(u[0, 0, 10, 12], u[1, 0, 3, 4])


def test_impossible_problems_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match="can absorb: give a neumann face, or absorbing=False"):
        Helmholtz(Domain.unit(2))
    with pytest.raises(ValueError, match="positive frequency"):
        Helmholtz(omega=0.0)
    with pytest.raises(ValueError, match="wave speed c must be positive"):
        Helmholtz().solve(torch.zeros(1, 1, 8, 8))


def test_a_wall_has_real_waves():
    P = Helmholtz(Domain.unit(2), absorbing=False, omega=4.0, prior=CONSTANT)
    assert P.output_names == ("u",)
    assert P.solve(P.sample((16, 16), 0, [0])).value.shape == (1, 1, 16, 16)
