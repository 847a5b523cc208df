"""Heat and waves between walls against exact solutions and against finite differences in SciPy."""

import math
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from scipy.sparse.linalg import expm_multiply

from references.cases import BOUNDARIES, domain
from references.trajectories import largest_difference, trajectory
from vcycle.problems import AllenCahn, Heat, Wave
from vcycle.solvers import image_domain, with_images, without_images
from vcycle.spaces import Domain, Grid

WALLS = [name for name in BOUNDARIES if name != "periodic"]


@pytest.mark.parametrize(("file", "limit"), [("pde_wave_1d", 1.3e-13), ("pde_wave_2d", 6.6e-14)])
def test_reference_trajectories(file, limit):
    found, expected = trajectory(file, Wave, 1, 1e-6)
    assert largest_difference(found, expected) < limit


def laplacian(box: Domain, n: int) -> sp.csr_array:
    """Second differences on cells, ghosts by reflection: odd about Dirichlet faces, even about Neumann faces."""
    matrices = []
    for length, faces in zip(box.lengths, box.boundary, strict=True):
        one = sp.lil_array(sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n)))
        if faces[0] == "periodic":
            one[0, n - 1] = one[n - 1, 0] = 1.0
        else:
            for end, face in ((0, faces[0]), (n - 1, faces[1])):
                one[end, end] += -1.0 if face == "dirichlet" else 1.0
        matrices.append(sp.csr_array(one * (n / length) ** 2))
    eye = sp.eye_array(n)
    parts = (
        reduce(sp.kron, [matrices[j] if j == i else eye for j in range(len(matrices))]) for i in range(len(matrices))
    )
    return sp.csr_array(sum(parts))


def smooth(box: Domain, n: int) -> torch.Tensor:
    """Some smooth function that fits the faces: exp of a mode that is even, times a fitting wave, by images."""
    x = [(p - low) / (high - low) for p, (low, high) in zip(Grid(box, (n,) * 2).mesh(), box.extents, strict=True)]
    u = torch.ones_like(x[0])
    for s, faces in zip(x, box.boundary, strict=True):
        if faces[0] == "periodic":
            u = u * torch.exp(torch.sin(2 * math.pi * s))
        else:
            shift = {("dirichlet",) * 2: 1.0, ("neumann",) * 2: 0.0}.get(faces, 0.5)
            wave = torch.sin if faces[0] == "dirichlet" else torch.cos
            u = u * (wave(shift * math.pi * s) * torch.exp(0.5 * torch.cos(2 * math.pi * s)))
    return u[None, None]


def centres(u: np.ndarray, n: int) -> torch.Tensor:
    """Every third cell of a grid with 3 n cells."""
    return torch.from_numpy(u.reshape(3 * n, 3 * n)[1::3, 1::3])[None, None]


@pytest.mark.parametrize("boundary", WALLS)
def test_heat_is_the_limit_of_finite_differences(boundary):
    """Differences of second order on n and 3 n cells, extrapolated: (9 fine - coarse) / 8."""
    box, n, time = domain(2, boundary), 16, 0.3
    P = Heat(box, diffusivity=0.05, reaction=0.7, time=time)
    values = []
    for m in (n, 3 * n):
        A = 0.05 * laplacian(box, m) + 0.7 * sp.eye_array(m * m)
        values.append(expm_multiply(A * time, smooth(box, m).numpy().ravel()))
    coarse, fine = torch.from_numpy(values[0]).view(1, 1, n, n), centres(values[1], n)
    exact = P.solve(smooth(box, n)).value
    errors = [float((u - exact).norm() / exact.norm()) for u in (coarse, fine, (9 * fine - coarse) / 8)]
    assert errors[0] / errors[1] == pytest.approx(9.0, rel=0.1)
    assert errors[2] < errors[1] / 30


@pytest.mark.parametrize("boundary", WALLS)
def test_waves_are_the_limit_of_finite_differences(boundary):
    box, n, time = domain(2, boundary), 16, 0.4
    P = Wave(box, speed=1.3, time=time)
    values = []
    for m in (n, 3 * n):
        A = sp.block_array([[None, sp.eye_array(m * m)], [1.3**2 * laplacian(box, m), None]], format="csr")
        h = smooth(box, m).numpy().ravel()
        values.append(expm_multiply(A * time, np.concatenate([h, -h]))[: m * m])
    coarse, fine = torch.from_numpy(values[0]).view(1, 1, n, n), centres(values[1], n)
    h = smooth(box, n)
    exact = P.solve(torch.cat([h, -h], 1)).value[:, :1]
    errors = [float((u - exact).norm() / exact.norm()) for u in (coarse, fine, (9 * fine - coarse) / 8)]
    assert errors[0] / errors[1] == pytest.approx(9.0, rel=0.2)
    assert errors[2] < errors[1] / 4


@pytest.mark.parametrize("boundary", WALLS)
@pytest.mark.parametrize("kind", [Heat, Wave, AllenCahn])
def test_a_box_is_a_cell_of_the_periodic_box_with_its_images(kind, boundary):
    P = kind(domain(2, boundary), time=0.2, accuracy=1e-9)
    u = P.sample((12, 12), 0, [0])
    whole = replace(P, domain=image_domain(P.domain)).solve(with_images(u, P.domain)).value
    torch.testing.assert_close(without_images(whole, P.domain), P.solve(u).value, rtol=0, atol=1e-7)


def test_the_critical_size_of_a_habitat():
    """Between lethal borders a population lives if r > kappa pi^2 d / L^2: it grows exactly like the first mode."""
    for L, grows in ((3.0, False), (6.0, True)):
        P = Heat(Domain([L, L]), diffusivity=1.0, reaction=1.0, time=1.0)
        x, y = Grid(P.domain, (16, 16)).mesh()
        u = (torch.sin(math.pi * x / L) * torch.sin(math.pi * y / L))[None, None]
        factor = math.exp(1 - 2 * (math.pi / L) ** 2)
        assert (factor > 1) == grows
        torch.testing.assert_close(P.solve(u).value, factor * u)


def test_waves_come_back_from_walls():
    """d'Alembert: after 2 L / c a pulse is back, from a free and a fixed end upside down."""
    for faces, sign in (("neumann", 1.0), ("dirichlet", 1.0), (("neumann", "dirichlet"), -1.0)):
        P = Wave(Domain([2.0], [faces]), speed=4.0, impulse=0.0, time=1.0)
        u = P.sample((32,), 0, [0])
        torch.testing.assert_close(P.solve(u).value, sign * u, rtol=0, atol=1e-9)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="positive speed, got 0"):
        Wave(speed=0.0)
    with pytest.raises(ValueError, match="positive diffusivity, got -1"):
        Heat(diffusivity=-1.0)
