"""Inverse problems with a learned prior: proximal gradient steps with a proximal operator that is given."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers import Solution, fixed_point

Matrix = Float[Tensor, "m n"]
Points = Float[Tensor, "b n"]


def plug_and_play(
    A: Matrix,
    y: Float[Tensor, "b m"],
    proximal: Callable[[Points], Points],
    *,
    step: float | None = None,
    tolerance: float = 1e-6,
    most: int = 1000,
) -> Solution:
    """x = f(x - t A^T (A x - y)), a stationary point of t/2 ||A x - y||^2 + R(x) if f is the proximal operator of R.

    With 0 < t <= 1 / ||A||^2 no step raises that function, whether R is convex or not (t / 2 ||A x - y||^2 lies below
    its quadratic model at the last x, of which f finds the minimum). `step` t: 1 / ||A||^2 if not given.
    Sources: P112, section 4; Beck and Teboulle 2009.

    Raises ValueError for a larger t.
    """
    largest = 1 / float(torch.linalg.matrix_norm(A, 2)) ** 2
    t = largest if step is None else step
    if not 0 < t <= largest * (1 + 1e-9):
        raise ValueError(f"steps of length {t:g} may diverge: expected 0 < t <= 1 / ||A||^2 = {largest:g}")
    return fixed_point(lambda x: proximal(x - t * (x @ A.mT - y) @ A), y @ A * t, tolerance=tolerance, most=most)
