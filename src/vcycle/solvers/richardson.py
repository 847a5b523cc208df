"""Richardson iteration: any approximate inverse, iterated, is a solver."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import LinearOperator
from vcycle.solvers.solution import Solution

Field = Float[Tensor, "b c *grid"]


def richardson(
    A: LinearOperator,
    f: Field,
    B: LinearOperator,
    *,
    start: Field | None = None,
    tolerance: float = 1e-8,
    most: int = 100,
) -> Solution:
    """u <- u + B (f - A u) until ||f - A u|| <= tolerance ||f||: with a V-cycle for B, the multigrid solver."""
    u = torch.zeros_like(f) if start is None else start
    size = f.flatten(1).norm(dim=1)
    iterations = 0
    while bool(((r := f - A(u)).flatten(1).norm(dim=1) > tolerance * size).any()) and iterations < most:
        u = u + B(r)
        iterations += 1
    residual = r.flatten(1).norm(dim=1) / torch.where(size == 0, 1.0, size)
    converged = residual <= tolerance
    message = (
        f"converged in {iterations} iterations"
        if bool(converged.all())
        else f"{int((~converged).sum())} samples missed {tolerance:.0e} after {iterations}: use conjugate gradients"
    )
    return Solution(u, residual, iterations, converged, message)
