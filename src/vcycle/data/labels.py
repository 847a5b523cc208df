"""Labels that are known to be right: solved, measured, tried once more, or left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.data.coarser import grid_differences
from vcycle.data.schema import DataError, Failure, Fields
from vcycle.problems import Problem
from vcycle.solvers import Solution
from vcycle.spaces import CPU

LIMIT_FACTOR = 10  # of the residual that is asked for, up to which a label is accepted


@dataclass(frozen=True)
class Labels:
    """The samples `indices` with their verified solutions, and what it took.

    `residuals` are measured on float64 solutions for exactly the inputs that are stored; stored as float32, a
    solution is rounded after that. The second solver's `differences` and the coarser grid's (data.coarser) are those
    of some samples, by index.
    """

    fields: Fields
    indices: tuple[int, ...]
    residuals: tuple[float, ...]
    differences: dict[int, float]
    grid_differences: dict[int, float]
    failures: tuple[Failure, ...]
    retried: tuple[int, ...]
    iterations: int


def solve_samples(
    problem: Problem,
    shape: tuple[int, ...],
    seed: int,
    indices: Sequence[int],
    dtype: torch.dtype,
    verify_every: int,
    device: torch.device = CPU,
) -> Labels:
    """Sample and solve; every sample whose relative residual is not below the limit is solved once more, safely.

    Sampled on the processor, solved and measured on the device, and given back on the processor.

    The samples whose index is a multiple of `verify_every` (0: none) are compared with a second solver, and with what
    half as many points per axis give. The second solver cannot be wrong about a converged label without the equations
    being wrong, so a disagreement stops the run with a DataError.
    """
    inputs = problem.sample(shape, seed, indices).to(dtype).double().to(device)
    value, reason, iterations = _solved(problem, inputs, problem.solve)
    residual, limit = _residual(problem, inputs, value), residual_limit(problem)
    failures, retried = [], []
    bad = (~(residual < limit)).nonzero().flatten().tolist()
    value = value.clone() if bad else value
    for row in bad:
        one = inputs[row : row + 1]
        value[row : row + 1], reason, more = _solved(problem, one, problem.solve_safely)
        residual[row : row + 1] = _residual(problem, one, value[row : row + 1])
        retried.append(indices[row])
        iterations = max(iterations, more)
        if not residual[row] < limit:
            reached = f"relative residual {float(residual[row]):.1e}, the limit is {limit:.0e}"
            failures.append(Failure(index=indices[row], seed=seed, reason=f"{reached}; {reason}"))
    good = residual < limit
    kept = tuple(index for index, ok in zip(indices, good.tolist(), strict=True) if ok)
    if failures:
        inputs, value = inputs[good], value[good]
    rows = [row for row, index in enumerate(kept) if verify_every and index % verify_every == 0]
    compared = [kept[row] for row in rows]
    return Labels(
        fields=Fields(inputs.to(CPU, dtype), value.to(CPU, dtype)),
        indices=kept,
        residuals=tuple(residual[good].tolist()),
        differences=_compare(problem, inputs[rows], value[rows], compared) if rows else {},
        grid_differences=grid_differences(problem, seed, compared, value[rows]) if rows else {},
        failures=tuple(failures),
        retried=tuple(retried),
        iterations=iterations,
    )


def residual_limit(problem: Problem) -> float:
    """The largest relative residual of a label."""
    return LIMIT_FACTOR * problem.tolerance


def _solved(problem: Problem, inputs: Tensor, solve: Callable[[Tensor], Solution]) -> tuple[Tensor, str, int]:
    """The solutions, a sentence and the iterations; NaN where the solver refuses: one sample may spoil a batch."""
    try:
        solution = solve(inputs)
    except (RuntimeError, ArithmeticError, ValueError) as error:
        channels = len(problem.output_names)
        return inputs.new_full((inputs.shape[0], channels, *inputs.shape[2:]), torch.nan), str(error), 0
    return solution.value.double(), solution.message, solution.iterations


def _residual(problem: Problem, inputs: Tensor, value: Tensor) -> Float[Tensor, " b"]:
    """The residual measured anew, NaN where the value or the input is not finite."""
    # A sum is finite exactly if its terms are (short of overflow), and costs a fraction of looking at each.
    finite = (inputs.flatten(1).sum(1) + value.flatten(1).sum(1)).isfinite()
    if finite.all():
        return problem.residual(inputs, value).double()
    residual = inputs.new_full((inputs.shape[0],), torch.nan, dtype=torch.float64)
    if finite.any():
        residual[finite] = problem.residual(inputs[finite], value[finite]).double()
    return residual


def _compare(problem: Problem, inputs: Tensor, value: Tensor, indices: Sequence[int]) -> dict[int, float]:
    differences = dict(zip(indices, problem.verify(inputs, value).tolist(), strict=True))
    for index, difference in differences.items():
        if not difference < problem.agreement:
            raise DataError(
                f"sample {index}: the second solver differs by {difference:.1e} (limit {problem.agreement:.0e}) "
                f"although the residual is below {residual_limit(problem):.0e}: the run stops here; choose milder "
                "parameters, or check that problem.solve and problem.verify solve the same equations"
            )
    return differences
