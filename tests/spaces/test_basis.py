"""Every boundary pair, both placements: analysis and synthesis are inverse, and the modes are eigenfunctions."""

import math

import pytest
import torch

from vcycle.spaces import Basis, Domain, Grid, conductances, difference, divergence

PAIRS = [
    ("periodic", "periodic"),
    ("dirichlet", "dirichlet"),
    ("neumann", "neumann"),
    ("dirichlet", "neumann"),
    ("neumann", "dirichlet"),
]
every_pair = pytest.mark.parametrize("faces", PAIRS, ids="|".join)
both_placements = pytest.mark.parametrize("placement", ["cell", "vertex"])
odd_and_even = pytest.mark.parametrize("n", [8, 9])


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@every_pair
@both_placements
@odd_and_even
def test_analysis_inverts_synthesis(faces, placement, n):
    basis = Basis(Domain([1.7], [faces]), placement)
    c = random(3, 2, *basis.counts((n,)))
    torch.testing.assert_close(basis.analyse(basis.synthesise(c, (n,))), c, rtol=0, atol=1e-13)


@every_pair
@odd_and_even
def test_synthesis_inverts_analysis_on_cells(faces, n):
    basis, u = Basis(Domain([1.7], [faces])), random(3, 2, n)
    torch.testing.assert_close(basis.synthesise(basis.analyse(u), (n,)), u, rtol=0, atol=1e-13)


@every_pair
@both_placements
@odd_and_even
def test_modes_below_the_grid_frequency_are_orthonormal(faces, placement, n):
    domain = Domain([1.7], [faces])
    modes = Basis(domain, placement).counts((n,))[0] - 1
    phi = Basis(domain, placement).synthesise(torch.eye(modes, dtype=torch.float64), (n,))
    gram = phi * Grid(domain, (n,), placement).weights() @ phi.T
    torch.testing.assert_close(gram, torch.eye(modes, dtype=torch.float64), rtol=0, atol=1e-13)


@every_pair
@both_placements
@odd_and_even
def test_all_modes_of_a_full_basis_are_orthogonal(faces, placement, n):
    domain = Domain([1.7], [faces])
    modes = Basis(domain, placement).counts((n,))[0]
    phi = Basis(domain, placement).synthesise(torch.eye(modes, dtype=torch.float64), (n,))
    gram = phi * Grid(domain, (n,), placement).weights() @ phi.T
    assert (gram - gram.diag().diag()).abs().max() < 1e-13
    assert gram.diag()[-1].item() == pytest.approx(1.0, abs=1e-12) or gram.diag()[-1].item() == pytest.approx(2.0)


@every_pair
def test_the_laplacian_of_the_modes_converges_to_their_symbol(faces):
    domain = Domain([1.7], [faces])
    basis, n = Basis(domain), 512
    grid = Grid(domain, (n,))
    phi = basis.synthesise(torch.eye(5, dtype=torch.float64), (n,))
    unit = conductances(torch.ones(n, dtype=torch.float64), domain)
    laplacian = -divergence(tuple(k * d for k, d in zip(unit, difference(phi, domain), strict=True)), domain)
    expected = basis.laplacian((5,))[:, None] * phi * grid.spacing[0]
    torch.testing.assert_close(laplacian, expected, rtol=0, atol=2e-3)


@pytest.mark.parametrize("first", PAIRS, ids="|".join)
@pytest.mark.parametrize("second", PAIRS, ids="|".join)
def test_modes_diagonalise_the_finite_volume_laplacian(first, second):
    domain, shape = Domain([1.0, (-1.0, 1.5)], [first, second]), (6, 7)
    basis, grid = Basis(domain), Grid(domain, shape)
    coefficients = random(2, 1, *shape)
    u = basis.synthesise(coefficients, shape)
    unit = conductances(torch.ones(1, 1, *shape, dtype=torch.float64), domain)
    flux = tuple(k * d for k, d in zip(unit, difference(u, domain), strict=True))
    applied = -divergence(flux, domain) / grid.weights()
    expected = basis.synthesise(basis.laplacian(shape, grid.spacing) * coefficients, shape)
    torch.testing.assert_close(applied, expected, rtol=0, atol=1e-11)


@every_pair
@both_placements
def test_coefficients_are_the_same_function_on_every_grid(faces, placement):
    domain = Domain([2.0], [faces])
    basis = Basis(domain, placement)
    c = random(6)
    coarse, fine = ((9, 27) if placement == "cell" else (9, 17)) if faces[0] != "periodic" else (8, 24)
    u, v = basis.synthesise(c, (coarse,)), basis.synthesise(c, (fine,))
    x, y = Grid(domain, (coarse,), placement).axis(0), Grid(domain, (fine,), placement).axis(0)
    shared = (x[:, None] - y).abs() < 1e-12
    assert shared.sum() >= coarse - 1
    rows, columns = shared.nonzero(as_tuple=True)
    torch.testing.assert_close(u[rows], v[columns], rtol=0, atol=1e-12)


@both_placements
def test_a_full_even_fourier_basis_keeps_its_last_mode_on_finer_grids(placement):
    basis = Basis(Domain.unit(1, "periodic"), placement)
    c = torch.zeros(8, dtype=torch.float64)
    c[-1] = 1.0
    x = Grid(Domain.unit(1, "periodic"), (32,), placement).axis(0)
    wave = torch.sin if placement == "cell" else torch.cos
    torch.testing.assert_close(basis.synthesise(c, (32,)), math.sqrt(2) * wave(8 * math.pi * x), rtol=0, atol=1e-12)


def test_truncation_is_a_projection():
    domain, shape = Domain.unit(2, ["periodic", "neumann"]), (8, 10)
    basis, u = Basis(domain, modes=(3, 20)), random(2, 1, *shape)
    assert basis.counts(shape) == (3, 10)
    once = basis.synthesise(basis.analyse(u), shape)
    torch.testing.assert_close(basis.synthesise(basis.analyse(once), shape), once, rtol=0, atol=1e-13)
    assert abs(((u - once) * once).sum()) < 1e-12


def test_three_dimensions_act_axis_by_axis():
    domain, shape = Domain.unit(3, ["periodic", "dirichlet", ("neumann", "dirichlet")]), (4, 5, 6)
    u = random(2, 3, *shape)
    c = Basis(domain).analyse(u)
    torch.testing.assert_close(Basis(domain).synthesise(c, shape), u, rtol=0, atol=1e-13)
    lines = [Basis(Domain.unit(1, [faces])) for faces in domain.boundary]
    step = lines[2].analyse(u)
    step = lines[1].analyse(step.movedim(-2, -1)).movedim(-1, -2)
    step = lines[0].analyse(step.movedim(-3, -1)).movedim(-1, -3)
    torch.testing.assert_close(c, step, rtol=0, atol=1e-13)


def test_first_use_under_inference_mode_does_not_poison_gradients():
    basis = Basis(Domain([1.234567], "neumann"))
    with torch.inference_mode():
        basis.analyse(torch.ones(7, dtype=torch.float64))
    u = torch.ones(7, dtype=torch.float64, requires_grad=True)
    basis.analyse(u).sum().backward()
    assert u.grad is not None
