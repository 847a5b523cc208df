"""What the grid costs: labels beside those of the same samples on half as many points per axis."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from vcycle.problems import Problem
from vcycle.spaces import L2, placed
from vcycle.spaces.basis import apply_axes
from vcycle.spaces.transfer import lagrange_matrix

CUBIC = 3


def grid_differences(
    problem: Problem, seed: int, indices: Sequence[int], u: Float[Tensor, "b o *grid"]
) -> dict[int, float]:
    """||u_2h - u_h|| / ||u_h|| on the coarse grid, where u_h is taken by the cubic through four points per axis.

    A method of order p is 2^p - 1 times closer to the equation's solution than that, three times at second order; even
    closer where the inputs have waves that the coarse grid lacks.
    Samples that cannot be solved on the coarse grid are left out.
    """
    shape = tuple(n // 2 for n in u.shape[2:])
    try:
        coarse = problem.solve(problem.sample(shape, seed, indices).to(u))
    except (RuntimeError, ArithmeticError, ValueError):  # too few points for an obstacle, a wave or the second axis
        return {}
    axes = enumerate(zip(u.shape[2:], shape, strict=True))
    matrices = [placed(lagrange_matrix(n, m, CUBIC, "cell", problem.domain.periodic(axis)), u) for axis, (n, m) in axes]
    difference = L2(problem.domain).relative(coarse.value.to(u), apply_axes(matrices, u))
    found = zip(indices, difference.tolist(), (coarse.converged & difference.isfinite()).tolist(), strict=True)
    return {index: value for index, value, known in found if known}


def grid_words(median: float | None, compared: int) -> str:
    """What the grid costs, as a sentence.

    >>> print(grid_words(2.5, 1))
    labels differ entirely from those on half as many points per axis (one sample): take more points
    """
    if median is None:
        return "half as many points per axis are too few to solve on: what the grid costs is not known"
    samples = "one sample" if compared == 1 else f"median of {compared}"
    if median >= 1:
        return f"labels differ entirely from those on half as many points per axis ({samples}): take more points"
    return (
        f"labels differ by {100 * median:.2g} % from those on half as many points per axis ({samples}): at second "
        "order the grid costs a third of it, or less"
    )
