"""Bounds against true errors: both forms for diffusion, one for the other problems that have a guaranteed bound."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.analysis import Effectivity
from vcycle.data import Fields
from vcycle.hybrid import duality_gap, energy_bound
from vcycle.hybrid.bregman import energy_distance, energy_of_rest
from vcycle.jobs.nested_error import nested_error
from vcycle.jobs.true_error import continuum_error
from vcycle.problems import Diffusion, Variational
from vcycle.surrogate import Surrogate

Inputs = Float[Tensor, "b i *grid"]
Measured = tuple[Tensor, Tensor, Tensor, Tensor]  # bound, true error, size of the solution, how well the error is known

CONTINUUM_SAMPLES, NESTED_SAMPLES, CHUNK = 8, 4, 32
DISTANCES = 1e-4  # what is known of an energy distance, relative


def bounds(surrogate: Surrogate, pairs: Fields, tighten: int) -> tuple[Effectivity, ...]:
    """The bounds of a surrogate's predictions against true errors, a form each; none where there is no bound, or no
    room for the finer grid that a true error takes.
    """
    problem = surrogate.problem
    if isinstance(problem, Diffusion):
        parts = [_discrete(surrogate, problem, inputs, tighten) for inputs in pairs.inputs.split(CHUNK)]
        discrete = Effectivity("discrete", "guaranteed", *_joined(parts))
        inputs = pairs.inputs[:CONTINUUM_SAMPLES]
        bound, field, measure = _bounded(surrogate, inputs, tighten)
        truth = continuum_error(problem, inputs, field)
        continuum = Effectivity("continuum", "guaranteed", bound, truth.value, truth.size, truth.accuracy, measure)
        return discrete, continuum
    if isinstance(problem, Variational):
        parts = [_minima(surrogate, problem, inputs, tighten) for inputs in pairs.inputs.split(CHUNK)]
        return (Effectivity("discrete", "guaranteed", *_joined(parts), "energy distance"),)
    inputs = pairs.inputs[:NESTED_SAMPLES]
    if problem is None or surrogate.predict(inputs[:1]).kind != "guaranteed":
        return ()
    bound, field, measure = _bounded(surrogate, inputs, tighten)
    truth = nested_error(problem, inputs.double(), field)
    if truth is None:
        return ()
    return (Effectivity("continuum", "guaranteed", bound, truth.value, truth.size, truth.accuracy, measure),)


def _bounded(surrogate: Surrogate, inputs: Inputs, tighten: int) -> tuple[Tensor, Tensor, str]:
    """The bound in the continuum form, the function that it speaks of, and its measure."""
    prediction = surrogate.predict(inputs, form="continuum", tighten=tighten)
    if prediction.bound is None or prediction.field is None or prediction.measure is None:
        raise ValueError("the surrogate gives no bound for its problem")
    return prediction.bound, prediction.field, prediction.measure


def _predicted(surrogate: Surrogate, inputs: Inputs, tighten: int) -> tuple[Tensor, Tensor]:
    """The values that the network answers, and the bounds on their distance from the discrete solution."""
    prediction = surrogate.predict(inputs, tighten=tighten)
    if prediction.bound is None:
        raise ValueError("the surrogate gives no bound for its problem")
    return prediction.value, prediction.bound


def _discrete(surrogate: Surrogate, problem: Diffusion, inputs: Inputs, tighten: int) -> Measured:
    (v, bound), reference = _predicted(surrogate, inputs, tighten), problem.solve(inputs).value
    norm = problem.energy_norm(inputs)
    error = norm(v - reference).nan_to_num(nan=torch.inf)
    own = energy_bound(reference, *problem.fields(inputs), problem.domain, reaction=problem.reaction(inputs)).value
    return bound, error, norm(reference), own / error


def _minima(surrogate: Surrogate, problem: Variational, inputs: Inputs, tighten: int) -> Measured:
    (v, bound), reference = _predicted(surrogate, inputs, tighten), problem.solve(inputs).value
    E = problem.discrete(inputs)
    error = energy_distance(E, v, reference).nan_to_num(nan=torch.inf)
    size = (2 * (E.value(reference) - energy_of_rest(E)).abs()).sqrt()
    return bound, error, size, duality_gap(E, reference).value / error + DISTANCES


def _joined(parts: list[Measured]) -> Measured:
    bound, error, size, slack = (torch.cat(values) for values in zip(*parts, strict=True))
    return bound, error, size, slack
