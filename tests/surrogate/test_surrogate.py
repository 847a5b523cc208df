import numpy as np
import pytest
import torch

from vcycle.problems import Darcy, TwoPhase
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate


def surrogate(network, problem=None):
    problem = problem or Darcy()
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


def reckless(kind):
    """Networks that no one should trust."""
    return {
        "random": lambda a: torch.sin(37 * a.cumsum(2)) * a,
        "zero": torch.zeros_like,
        "huge": lambda a: torch.full_like(a, 1e200),
        "nan": lambda a: torch.full_like(a, torch.nan),
        "half nan": lambda a: torch.where(torch.arange(a.shape[-1]) % 2 == 0, torch.nan, a),
        "solver": lambda a: 1.02 * Darcy().solve(a).value,
    }[kind]


@pytest.mark.parametrize("kind", ["random", "zero", "huge", "nan", "half nan", "solver"])
def test_solves_within_tolerance_in_a_hundred_of_a_hundred_cases_whatever_the_network(kind):
    problem = Darcy()
    a = problem.sample((32, 32), 123, range(100))
    result = surrogate(reckless(kind)).solve(a, 1e-8)
    u = problem.solve(a, 1e-12).value
    energy = problem.energy_norm(a)
    assert int(result.verified.sum()) == 100
    assert float((energy(result.value - u) / energy(u)).max()) <= 1e-8


@pytest.mark.parametrize("form", ["discrete", "continuum"])
@pytest.mark.parametrize("kind", ["random", "zero", "nan", "solver"])
def test_predictions_carry_a_guaranteed_bound(kind, form):
    problem = Darcy()
    a = problem.sample((16, 16), 1, range(3))
    prediction = surrogate(reckless(kind)).predict(a, form=form)
    energy, u = problem.energy_norm(a), problem.solve(a).value
    assert (prediction.kind, prediction.form) == ("guaranteed", form)
    if kind == "nan":
        assert bool(torch.isinf(prediction.bound).all())
        assert bool(torch.isinf(prediction.relative).all())
    elif form == "discrete":
        assert bool((prediction.bound >= energy(prediction.value - u)).all())
        assert bool((prediction.relative >= energy(prediction.value - u) / energy(u) * (1 - 1e-12)).all())
    if kind == "solver" and form == "discrete":
        assert float(prediction.relative.max()) == pytest.approx(0.02, rel=0.2)
        tightened = surrogate(reckless(kind)).predict(a, form=form, tighten=1)
        assert bool((tightened.bound <= prediction.bound).all())


def test_without_an_equation_there_is_no_bound_and_nothing_to_solve():
    plain = Surrogate(lambda a: a, Domain.unit(2), ("a",), ("u",))
    prediction = plain.predict(torch.ones(2, 1, 4, 4))
    assert prediction.kind == "none"
    assert prediction.bound is None
    with pytest.raises(ValueError, match="without an equation"):
        plain.solve(torch.ones(2, 1, 4, 4))


@pytest.mark.parametrize("shape", [(8, 8), (3, 8, 8), (3, 1, 8, 8)])
def test_inputs_may_come_as_one_field_several_or_a_batch(shape):
    x = np.random.default_rng(0).random(shape).astype(np.float32)
    expected = torch.from_numpy(x).double().reshape(-1, 1, 8, 8)
    torch.testing.assert_close(surrogate(lambda a: a).apply(x), expected)
    torch.testing.assert_close(surrogate(lambda a: a).apply(torch.from_numpy(x)), expected)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        (torch.ones(8), "must have shape"),
        (torch.ones(0, 1, 8, 8), "are 0 samples at 8 x 8: give one or more"),
        (torch.ones(3, 1, 32), r"are 3 samples at 1 x 32: .* 2 points or more along every axis"),
        (torch.ones(2, 3, 8, 8), "channels a"),
        (torch.full((8, 8), torch.nan), "64 NaN"),
        (-torch.ones(8, 8), "must be positive"),
    ],
)
def test_wrong_inputs_get_one_sentence(inputs, sentence):
    with pytest.raises(ValueError, match=sentence):
        surrogate(lambda a: a).predict(inputs)


def test_two_input_channels():
    problem = Darcy(Domain.unit(2, "periodic"), TwoPhase(), "gaussian")
    x = problem.sample((8, 8), 0, range(2))
    prediction = surrogate(lambda x: x[:, :1], problem).predict(x)
    assert prediction.value.shape == (2, 1, 8, 8)
    assert surrogate(lambda x: x[:, :1], problem).predict(x[0]).value.shape == (1, 1, 8, 8)
