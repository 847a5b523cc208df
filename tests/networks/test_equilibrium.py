"""Fixed points exist, are unique, are reached in the promised number of steps, and have the right gradients."""

import pytest
import torch

from vcycle.networks import activation
from vcycle.networks.equilibrium import Equilibrium, NotConverged, Step
from vcycle.networks.steps import (
    LIPSCHITZ,
    SHIFT,
    CycleStep,
    GraphStep,
    SpectralStep,
    SubhomogeneousStep,
    banach_steps,
)
from vcycle.spaces import Domain, Space

SPACE = Space(Domain([1.0, 2.0], ["dirichlet", "neumann"]), 3)
STEPS = {
    "spectral": lambda: SpectralStep(SPACE, (4, 4), 0.8, "tanh"),
    "graph": lambda: GraphStep(SPACE, 0.8),
    "subhomogeneous": lambda: SubhomogeneousStep(SPACE),
    "cycle": lambda: CycleStep(SPACE, 2, "tanh"),
}


def step(name: str, seed: int = 0, scale: float = 1.0) -> Step:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = STEPS[name]().double()
    for p in made.parameters():
        p.data *= scale
    return made


def context(made: Step, batch: int = 2) -> torch.Tensor:
    noise = torch.Generator().manual_seed(1)
    return torch.randn(batch, made.context, 6, 8, dtype=torch.float64, generator=noise)


def fields(made: Step, count: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(2)
    return torch.randn(count, made.channels, 6, 8, dtype=torch.float64, generator=noise)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(("name", "norm"), [("spectral", 2.0), ("graph", torch.inf)])
def test_steps_with_a_rate_contract_with_it_for_any_parameters(name, norm, scale):
    made = step(name, scale=scale)
    T = made.at(context(made, 1))
    y, z = fields(made, 2).split(1)
    for _ in range(5):
        before, (y, z) = (y - z).flatten().norm(p=norm), (T(y), T(z))
        assert float((y - z).flatten().norm(p=norm).detach()) <= made.rate * float(before.detach()) * (1 + 1e-12)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_the_subhomogeneous_step_contracts_in_the_thompson_metric(scale):
    made = step("subhomogeneous", scale=scale)
    T = made.at(context(made, 1))
    for y in fields(made, 6).abs().split(1):
        z = (y.roll(1, 2) + 0.01) * 3
        images = [T(v).detach() for v in (y + 0.01, z)]
        before, after = ((v[0] / v[1]).log().abs().max() for v in ([y + 0.01, z], images))
        assert float(after) <= 0.9992 * float(before)


def test_the_shift_of_tanh_makes_it_subhomogeneous():
    y = torch.linspace(-20, 20, 200_001, dtype=torch.float64)
    ratio = (y / y.cosh() ** 2).abs() / (y.tanh() + SHIFT)
    assert 0.999 < float(ratio.max()) < 1


def test_with_signs_there_can_be_three_fixed_points():
    """Why K must not have negative entries: z = tanh(2 [[1, -1], [-1, 1]] z) + 1.2."""
    W = 2 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    points = torch.tensor([[2.199, 0.201], [0.201, 2.199], [1.2, 1.2]], dtype=torch.float64)
    torch.testing.assert_close((points @ W.T).tanh() + 1.2, points, rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", ["spectral", "graph", "subhomogeneous"])
def test_the_fixed_point_is_the_same_from_every_start(name):
    made = step(name)
    layer = Equilibrium(made, tolerance=1e-10, most=400)
    c = context(made)
    exact = layer.solve(c)
    assert bool(exact.converged.all())
    for value in (0.3, 7.0):
        made.start = value
        torch.testing.assert_close(layer.solve(c).value, exact.value, rtol=1e-8, atol=1e-8)


def test_the_graph_step_solves_its_linear_system():
    """z = (I - rate A)^-1 b by a dense solver."""
    made = step("graph")
    c = context(made, 1)
    size = made.channels * 48
    basis = torch.eye(size, dtype=torch.float64).view(size, made.channels, 6, 8)
    zero = torch.zeros(1, made.channels, 6, 8, dtype=torch.float64)
    b = made.at(c)(zero)
    A = torch.stack([(made.at(c)(e[None]) - b).flatten() for e in basis], 1)
    assert float(A.abs().sum(1).max()) <= 0.8 + 1e-12
    exact = torch.linalg.solve(torch.eye(size, dtype=torch.float64) - A, b.flatten())
    found = Equilibrium(made, tolerance=1e-10, most=300).solve(c).value
    torch.testing.assert_close(found.flatten(), exact, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("window", [0, 4])
@pytest.mark.parametrize("name", STEPS)
def test_implicit_gradients_are_those_of_the_unrolled_iteration(name, window):
    made = step(name, scale=0.3 if name == "cycle" else 1.0)
    c = context(made).requires_grad_()
    implicit = Equilibrium(made, tolerance=1e-12, most=400, window=window)(c)
    T, z = made.at(c), torch.full_like(implicit, made.start)
    for _ in range(200):
        z = T(z)
    leaves = [c, *made.parameters()]
    found, expected = (torch.autograd.grad(v.pow(3).sum(), leaves) for v in (implicit, z))
    for f, e in zip(found, expected, strict=True):
        assert float((f - e).abs().max()) <= 1e-6 * float(e.abs().max())


def test_a_contraction_needs_no_more_than_banachs_number():
    made = step("spectral")
    for tolerance in (1e-2, 1e-4, 1e-8):
        most = banach_steps(0.8, tolerance)
        solution = Equilibrium(made, tolerance=tolerance, most=most).solve(context(made))
        assert bool(solution.converged.all())


def test_a_map_without_a_fixed_point_is_refused_in_evaluation_and_trained_on_regardless():
    made = step("cycle", scale=1.0)
    made.sigma = activation("identity", SPACE)
    for p in made.parameters():
        p.data *= 5
    layer = Equilibrium(made, most=10)
    layer.train()(context(made))
    with pytest.raises(NotConverged, match="no contraction"):
        layer.eval()(context(made))


def test_lipschitz_constants():
    u = torch.linspace(-8, 8, 400_001, dtype=torch.float64)[None, None].requires_grad_()
    for name, constant in LIPSCHITZ.items():
        (slope,) = torch.autograd.grad(activation(name, SPACE)(u).sum(), u)
        assert constant * (1 - 5e-4) <= float(slope.abs().max()) <= constant
