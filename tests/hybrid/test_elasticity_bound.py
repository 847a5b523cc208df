"""Elastic energy errors: bounds hold for any displacement, clamped and free faces; stresses are symmetric and exact."""

import numpy as np
import pytest
import torch

from references.elastic import energy_errors
from vcycle.hybrid import symmetric_stress
from vcycle.hybrid.cell_quadrature import at_point, gauss_points, gradient_at
from vcycle.hybrid.elasticity_bound import elasticity_bound
from vcycle.hybrid.halved_cells import repeated
from vcycle.hybrid.symmetric_stress import SymmetricStress
from vcycle.problems import TwoPhase
from vcycle.problems.elasticity import Elasticity
from vcycle.spaces import Domain

BEAM = [("dirichlet", "neumann"), "neumann"]
BOUNDARIES = {"beam": BEAM, "clamped": ["dirichlet"] * 2, "bridge": ["dirichlet", ("neumann", "neumann")]}


def body(problem, inputs):
    """lambda, mu and f of a problem."""
    E, nu = inputs[:, :1].double(), problem.poisson_ratio
    return E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu)), problem.forcing(inputs)


def require_bounds(problem, shape, largest):
    """2 samples x 4 displacements against elements 4 times as fine, and effectivities up to `largest`."""
    inputs = problem.sample(shape, 3, range(2))
    u = problem.solve(inputs).value
    torch.manual_seed(0)
    noise = torch.randn_like(u)
    v = torch.cat([u, 0 * u, u.std() * noise, u * (1 + 0.05 * noise)])
    data = body(problem, inputs)
    bound = elasticity_bound(v, *(x.repeat(4, 1, 1, 1) for x in data), problem.domain, problem.traction)
    for i in range(2):
        rows = range(i, 8, 2)
        lame, shear, force = (repeated(x[i : i + 1])[0].numpy() for x in data)
        fields = [bound.field[row].numpy() for row in rows]
        *true, size = energy_errors(fields, lame[0], shear[0], force, problem.domain, 4, problem.traction)
        for row, error in zip(rows, true, strict=True):
            assert float(bound.value[row]) >= error
            assert float(bound.value[row]) <= largest * error
            # The finer elements have less energy than u.
            assert float(bound.least[row]) <= size * 1.1


@pytest.mark.parametrize("nu", [-0.3, 0.3, 0.45])
@pytest.mark.parametrize(("contrast", "largest"), [(1.0, 2.5), (100.0, 5.0)])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_bounds_the_distance_to_the_solution_of_the_pde(boundary, contrast, largest, nu):
    domain = Domain([2.0, 1.0], BOUNDARIES[boundary])
    problem = Elasticity(domain=domain, prior=TwoPhase(1.0, contrast), poisson_ratio=nu, force="gaussian")
    require_bounds(problem, (8, 5), largest)


@pytest.mark.parametrize("nu", [-0.3, 0.3, 0.45])
@pytest.mark.parametrize(("contrast", "largest"), [(1.0, 2.5), (100.0, 5.0)])
@pytest.mark.parametrize("sides", ["neumann", ("dirichlet", "neumann"), "dirichlet"])
def test_bounds_the_distance_to_the_solution_under_traction(sides, contrast, largest, nu):
    domain = Domain([2.0, 1.0], [("dirichlet", "neumann"), sides])
    problem = Elasticity(domain=domain, prior=TwoPhase(1.0, contrast), poisson_ratio=nu, force="traction")
    require_bounds(problem, (8, 6), largest)


def test_a_pull_along_a_bar_without_contraction_is_met_exactly():
    """nu = 0 and t = (1, 0): u = x, and the bound is rounding."""
    domain = Domain([2.0, 1.0], BEAM)
    one = torch.ones(1, 1, 6, 4, dtype=torch.float64)
    v = torch.cat([((torch.arange(6.0, dtype=torch.float64) + 0.5) / 3)[None, None, :, None] * one, 0 * one], 1)
    bound = elasticity_bound(v, 0 * one, one / 2, 0 * v, domain, (1.0, 0.0))
    assert float(bound.value) < 1e-9 * float(bound.least)
    assert float(bound.least) == pytest.approx(2**0.5)


def test_holds_in_three_dimensions():
    domain = Domain.unit(3, [("dirichlet", "neumann"), "neumann", "neumann"])
    problem = Elasticity(domain=domain)
    inputs = problem.sample((3, 3, 3), 0, range(1))
    u = problem.solve(inputs).value
    v = torch.cat([u, 0 * u, torch.randn_like(u) * u.std()])
    lame, shear, force = (x.expand(3, -1, -1, -1, -1) for x in body(problem, inputs))
    bound = elasticity_bound(v, lame, shear, force, domain)
    data = [repeated(x[:1])[0].numpy() for x in (lame, shear, force)]
    *true, _ = energy_errors([f.numpy() for f in bound.field], data[0][0], data[1][0], data[2], domain, finer=1)
    assert (bound.value.numpy() >= true).all()
    assert (bound.value.numpy() <= 2.5 * np.array(true))[1:].all(), bound.value.numpy() / true


def test_is_of_first_order_and_close_to_the_error_where_the_body_is_clamped():
    domain, values = Domain.unit(2), []
    problem = Elasticity(domain=domain, prior=TwoPhase(1.0, 1.0))
    for n in (8, 16, 32):
        inputs = problem.sample((n, n), 0, range(1))
        values.append(float(elasticity_bound(problem.solve(inputs).value, *body(problem, inputs), domain).value))
    rates = np.log2(np.array(values[:-1]) / values[1:])
    assert (abs(rates - 1) < 0.1).all(), rates


@pytest.mark.parametrize(
    ("boundary", "shape"), [(BEAM, (4, 3)), (["dirichlet"] * 3, (3, 2, 4)), ([*BEAM, "neumann"], (2, 3, 3))]
)
def test_stresses_are_symmetric_in_equilibrium_at_every_point_and_free_of_traction_on_neumann_faces(boundary, shape):
    d = len(shape)
    domain = Domain([1.0, 2.0, 0.5][:d], boundary)
    space = SymmetricStress(domain, shape)
    rng = np.random.default_rng(0)
    f = rng.standard_normal((2, d, *shape))
    stress = space.equilibrate(rng.standard_normal((2, len(space.free))), f.reshape(2, -1))
    for point, _ in gauss_points(d, 2):
        sigma = space.at(stress, point)
        np.testing.assert_array_equal(sigma, sigma.swapaxes(1, 2))
        div, step = f.copy(), 0.25
        for j, h in enumerate(space.spacing):  # central differences are exact for quadratics
            low, high = (tuple(x + s * step * (k == j) for k, x in enumerate(point)) for s in (-1, 1))
            div += (space.at(stress, high)[:, :, j] - space.at(stress, low)[:, :, j]) / (2 * step * h)
        np.testing.assert_allclose(div, 0, atol=1e-10)
    for axis in range(d):
        low, high = (
            space.at(stress, tuple(end if k == axis else 0.3 for k in range(d)))[:, :, axis] for end in (0.0, 1.0)
        )
        low, high = np.moveaxis(low, axis + 2, 0), np.moveaxis(high, axis + 2, 0)
        np.testing.assert_allclose(low[1:], high[:-1], atol=1e-12)  # sigma n is continuous
        for traction, condition in zip((low[0], high[-1]), domain.boundary[axis], strict=True):
            assert (abs(traction).max() < 1e-12) == (condition == "neumann")


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_iterations_and_the_factorisation_find_the_same_stress(monkeypatch, boundary):
    domain, rng = Domain([2.0, 1.0], BOUNDARIES[boundary]), np.random.default_rng(0)
    space = SymmetricStress(domain, (12, 10))
    f = rng.standard_normal((2, 240))
    direct = space.correction(f)
    monkeypatch.setattr(symmetric_stress, "FACTORISED", 0)
    np.testing.assert_allclose(space.correction(f), direct, atol=1e-10 * abs(direct).max())
    assert np.isnan(space.correction(np.nan * f)[:, space.free]).all()


@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (8, 8, 8), (16, 16, 16)])
def test_iterations_hardly_grow_with_the_grid(monkeypatch, shape):
    monkeypatch.setattr(symmetric_stress, "FACTORISED", 0)
    monkeypatch.setattr(symmetric_stress, "MOST", 50)
    space = SymmetricStress(Domain.unit(len(shape), [("dirichlet", "neumann"), *["neumann"] * (len(shape) - 1)]), shape)
    assert np.isfinite(space.correction(np.ones((1, space.matrix.shape[0])))).all()


def test_the_function_is_the_finite_element_with_nodes_at_cell_centres():
    """Linear at free faces, zero on clamped ones; its gradients at Gauss points integrate to those of the operator."""
    domain = Domain.unit(2, BEAM)
    v = torch.randn(1, 2, 4, 3).double()
    one = torch.ones(1, 1, 4, 3).double()
    field = elasticity_bound(v, one, one, v, domain).field
    assert torch.equal(field[:, :, 1::2, 1::2], v)
    assert float(field[:, :, 0].abs().max()) == 0
    assert torch.allclose(field[:, :, -1, 1::2], 1.5 * v[:, :, -1] - 0.5 * v[:, :, -2])
    assert at_point(field.numpy(), (0.5, 0.5)).shape == (1, 2, 8, 6)
    slope = gradient_at(field.numpy(), (1 / 8, 1 / 6), (0.5, 0.5))
    np.testing.assert_allclose(slope[0, 0, 0, 0, 0] / 8, (field[0, 0, 1, :2] - field[0, 0, 0, :2]).mean())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": Domain.unit(2, "periodic")}, "dirichlet and neumann faces"),
        ({"domain": Domain.unit(2, "neumann")}, "at least one of them"),
        ({"shear": torch.zeros(1, 1, 4, 4)}, "moduli must have mu > 0"),
        ({"force": torch.zeros(1, 1, 4, 4)}, "force must have shape"),
        ({"v": torch.zeros(1, 1, 4, 4)}, "v must have shape"),
        ({"domain": Domain.unit(2), "traction": (0.0, 1.0)}, "traction acts on the high face .* neumann; got"),
    ],
)
def test_says_what_does_not_fit(change, words):
    one = torch.ones(1, 1, 4, 4)
    given = {"v": one.repeat(1, 2, 1, 1), "lame": one, "shear": one, "force": one.repeat(1, 2, 1, 1)}
    with pytest.raises(ValueError, match=words):
        elasticity_bound(**{**given, "domain": Domain.unit(2, BEAM), **change})
