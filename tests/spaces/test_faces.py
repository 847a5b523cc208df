"""Summation by parts, exact fluxes and conservation."""

import pytest
import torch

from vcycle.spaces import Domain, conductances, difference, divergence, energy

BOUNDARIES = ["periodic", "dirichlet", "neumann", ("dirichlet", "neumann"), ("neumann", "dirichlet")]


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def face_field(shape: tuple[int, ...], domain: Domain) -> tuple[torch.Tensor, ...]:
    out = []
    for axis in range(domain.dimension):
        own = list(shape)
        own[axis] += 0 if domain.periodic(axis) else 1
        out.append(random(2, 1, *own))
    return tuple(out)


@pytest.mark.parametrize("first", BOUNDARIES)
@pytest.mark.parametrize("second", BOUNDARIES)
def test_divergence_is_minus_the_transpose_of_difference(first, second):
    domain, shape = Domain([1.0, 2.0], [first, second]), (5, 4)
    q, u = face_field(shape, domain), random(2, 1, *shape)
    left = (divergence(q, domain) * u).sum()
    right = -sum((t * d).sum() for t, d in zip(q, difference(u, domain), strict=True))
    assert left.item() == pytest.approx(right.item(), rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 3])
def test_the_same_in_other_dimensions(dimension):
    domain, shape = Domain.unit(dimension, BOUNDARIES[1 : 1 + dimension]), (4, 5, 6)[:dimension]
    q, u = face_field(shape, domain), random(2, 1, *shape)
    left = (divergence(q, domain) * u).sum()
    right = -sum((t * d).sum() for t, d in zip(q, difference(u, domain), strict=True))
    assert left.item() == pytest.approx(right.item(), rel=1e-12)


def test_what_flows_out_of_all_cells_flows_through_the_boundary():
    domain = Domain.unit(2, ["periodic", "dirichlet"])
    q = face_field((5, 4), domain)
    through = q[1][..., -1].sum() - q[1][..., 0].sum()
    torch.testing.assert_close(divergence(q, domain).sum(), through)


def test_the_flux_of_a_piecewise_constant_coefficient_is_exact():
    """-(a u')' = 0 on (0, 3), a = 1 then 4: u with u(0) = 0 and flux -1 everywhere, known in closed form."""
    domain = Domain([3.0], [("dirichlet", "neumann")])
    a = torch.tensor([1.0, 1.0, 1.0, 4.0, 4.0, 4.0], dtype=torch.float64)
    u = torch.tensor(
        [0.25, 0.75, 1.25, 1.5625, 1.6875, 1.8125], dtype=torch.float64
    )  # slope 1, then 1/4 beyond x = 3/2
    (flux,) = (k * d for k, d in zip(conductances(a, domain), difference(u, domain), strict=True))
    torch.testing.assert_close(flux, torch.tensor([1.0] * 6 + [0.0], dtype=torch.float64))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_energy_is_the_quadratic_form_of_the_operator(boundary):
    domain, shape = Domain([1.0, 2.0], [boundary, "dirichlet"]), (6, 5)
    u, k = random(2, 1, *shape), conductances(random(2, 1, *shape).exp(), domain)
    applied = -divergence(tuple(c * d for c, d in zip(k, difference(u, domain), strict=True)), domain)
    torch.testing.assert_close((applied * u).sum((-2, -1)), energy(k, u, domain))


def test_constants_have_no_energy_without_dirichlet_faces():
    domain = Domain.unit(2, ["periodic", "neumann"])
    k = conductances(random(1, 1, 6, 5).exp(), domain)
    assert energy(k, torch.ones(1, 1, 6, 5, dtype=torch.float64), domain).item() == 0.0
