"""Preconditioned conjugate gradients for a batch of systems solved together."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.operators import LinearOperator
from vcycle.solvers.products import dot, guarded, norm
from vcycle.solvers.solution import Solution, outcome

Field = Float[Tensor, "b c *grid"]
Select = Callable[[LinearOperator, Bool[Tensor, " b"]], LinearOperator]
RESTARTS = 4
PATIENCE = 50  # iterations without halving any residual: rounding has been reached


def conjugate_gradients(
    A: LinearOperator,
    f: Field,
    preconditioner: LinearOperator,
    *,
    start: Field | None = None,
    weight: Field | None = None,
    floating: bool = False,
    tolerance: float = 1e-10,
    most: int = 200,
    select: Select | None = None,
) -> Solution:
    """Solve A u = f to ||f - A u|| <= tolerance ||f|| for every sample of the batch, A self-adjoint and positive.

    The norm is Euclidean, or sum w r^2 with a `weight` w; the inverse diagonal of A is the right one at high contrast,
    where the rounding of u alone leaves large Euclidean residuals. The preconditioner may run in lower precision
    than f: it receives residuals scaled to norm 1 in its own dtype, and the flexible (Polak-Ribiere) form of beta
    forgives its rounding. Samples that are done wait for the others unchanged; with `select`, which makes an operator
    for some of the samples (operators.of_samples), they leave once they are a quarter of the batch. The residual of the
    result is computed afresh; where the recurrence had drifted from it, the iteration starts again from the value
    reached.
    If A annihilates constants (`floating`), f must have mean zero; search directions are then kept free of constants,
    which would grow by rounding alone, and u has the mean of the start.
    """
    size = norm(f, weight)
    target = tolerance * size
    u = torch.zeros_like(f) if start is None else start.clone()
    iterations = 0
    residual = norm(r := f - A(u), weight)
    for _ in range(RESTARTS):
        if iterations >= most or not bool((residual > target).any()):
            break
        u, done = _iterate(A, u, r, preconditioner, weight, floating, target, most - iterations, select)
        iterations += done
        before, residual = residual, norm(r := f - A(u), weight)
        if not bool((residual < 0.5 * before)[residual > target].any()):
            break
    relative = (residual / guarded(size)).flatten()
    converged, relative = (residual <= target).flatten(), relative.detach()
    return Solution(u, relative, iterations, converged, outcome(relative, converged, iterations, tolerance))


def _iterate(
    A: LinearOperator,
    u: Field,
    r: Field,
    preconditioner: LinearOperator,
    weight: Field | None,
    floating: bool,
    target: Tensor,
    most: int,
    select: Select | None,
) -> tuple[Field, int]:
    p, old, rz, iterations, dtype = r, r, torch.ones_like(target), 0, next(preconditioner.buffers()).dtype
    everything, here = u, torch.arange(len(u), device=u.device)
    best, since = torch.full_like(target, torch.inf), 0
    while iterations < most and since < PATIENCE and bool((active := (size := norm(r, weight)) > target).any()):
        since = 0 if bool((size < 0.5 * best)[active].any()) else since + 1
        best = torch.where(size < 0.5 * best, size, best)
        if select is not None and 4 * int(active.sum()) <= 3 * len(active):
            everything = everything.index_copy(0, here, u)
            rows = active.flatten()
            here, A, preconditioner = here[rows], select(A, rows), select(preconditioner, rows)
            state = (u, r, p, old, rz, best, size, target, active)
            u, r, p, old, rz, best, size, target, active = (t[rows] for t in state)
            weight = weight if weight is None or len(weight) == 1 else weight[rows]
        # Whatever z is scaled by, beta scales p with it and the step undoes it: z need not be scaled back.
        z = preconditioner((r / guarded(size)).to(dtype)).to(r.dtype)
        if floating:
            z = z - z.mean(tuple(range(1, z.ndim)), keepdim=True)
        new = dot(r, z)
        p = z if iterations == 0 else torch.addcmul(z, (new - dot(old, z)) / guarded(rz), p)
        ap = A(p)
        step = torch.where(active, new / guarded(dot(p, ap)), 0.0)
        old, rz = r, new
        u = torch.addcmul(u, step, p)
        r = torch.addcmul(r, step, ap, value=-1)
        iterations += 1
    return u if len(here) == len(everything) else everything.index_copy(0, here, u), iterations
