"""A surrogate computes where its network is, and answers where its inputs are."""

import pytest
import torch
from torch import Tensor, nn

from references.some_gpu import some_gpu
from references.there import assert_same
from vcycle.problems import AnisotropicDarcy, Burgers, Darcy, Elasticity, ImplicitHeat, PLaplacian, Poisson, Problem
from vcycle.spaces import Domain
from vcycle.surrogate import Calibration, Ensemble, Surrogate


class Smoothed(nn.Module):
    """c times something smooth of the first channel: a network that is not wholly wrong."""

    def __init__(self, problem: Problem, c: float = 0.1):
        super().__init__()
        self.c = nn.Parameter(torch.tensor(c, dtype=torch.float64))
        self.channels = len(problem.output_names)
        self.seen: list[torch.device] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.device)
        return (self.c * x[:, -1:].tanh().roll(1, 2)).expand(-1, self.channels, *x.shape[2:])


def surrogate(problem: Problem, network: nn.Module | None = None) -> Surrogate:
    network = Smoothed(problem) if network is None else network
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


@pytest.mark.parametrize("on_device", [True, False], ids=["inputs there", "inputs here"])
@pytest.mark.parametrize("problem", [Darcy(), AnisotropicDarcy(), Elasticity(), PLaplacian()], ids=lambda p: p.name)
def test_predictions_and_their_bounds(problem: Problem, on_device: bool):
    x = problem.sample((16, 16), 0, range(2))
    expected, there = surrogate(problem).predict(x), surrogate(problem)
    with some_gpu() as gpu:
        found = there.to(gpu).predict(x.to(gpu) if on_device else x)
        assert_same("found", found, expected, gpu if on_device else torch.device("cpu"))
    assert set(there.network.seen) == {gpu}


@pytest.mark.parametrize("problem", [Darcy(), Poisson(), PLaplacian()], ids=lambda p: p.name)
def test_solutions_to_a_tolerance(problem: Problem):
    x = problem.sample((16, 16), 0, range(2))
    expected = surrogate(problem).solve(x, 1e-6)
    with some_gpu() as gpu:
        found = surrogate(problem).to(gpu).solve(x.to(gpu), 1e-6)
        assert found.value.device == found.error.device == found.verified.device == gpu
        torch.testing.assert_close(found.value.cpu(), expected.value, rtol=1e-4, atol=1e-6)
        assert found.verified.cpu().tolist() == expected.verified.tolist() == [True, True]


@pytest.mark.parametrize(
    "problem", [ImplicitHeat(Domain.unit(2)), Burgers(time=0.05, snapshots=1)], ids=lambda p: p.name
)
def test_marches(problem: Problem):
    x = problem.sample((16,) * problem.domain.dimension, 0, range(2))
    expected = surrogate(problem).march(x, 2, 0.05)
    with some_gpu() as gpu:
        found = surrogate(problem).to(gpu).march(x.to(gpu), 2, 0.05)
        assert_same("found", found, expected, gpu)
        states = surrogate(problem).to(gpu).reference(x, 2)
        torch.testing.assert_close(states, surrogate(problem).reference(x, 2))


def test_calibrated_ensembles():
    problem = Darcy()
    ensemble = surrogate(problem, Ensemble([Smoothed(problem, 0.1), Smoothed(problem, 0.11)]))
    x, u = problem.sample((8, 8), 0, range(6)), torch.zeros(6, 1, 8, 8, dtype=torch.float64)
    answer = ensemble.answer(x)
    calibration = Calibration.fit(answer, u, answer, u, problem.domain, scale="spread", level=0.5)
    calibrated = Surrogate(
        ensemble.network, problem.domain, problem.input_names, problem.output_names, "cell", problem, calibration
    )
    expected = calibrated.predict(x[:2])
    with some_gpu() as gpu:
        assert_same("found", calibrated.to(gpu).predict(x[:2].to(gpu)), expected, gpu)
        calibrated.to("cpu")


def test_a_function_computes_where_its_inputs_are():
    problem = Darcy()
    plain = Surrogate(lambda a: 0.1 * a, problem.domain, problem.input_names, problem.output_names, problem=problem)
    x = problem.sample((16, 16), 0, range(2))
    with some_gpu() as gpu:
        assert_same("found", plain.to(gpu).predict(x.to(gpu)), plain.predict(x), gpu)
