"""Batches of linear elliptic systems on finite elements, solved by the method that is faster."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import Compact, elements_multigrid
from vcycle.solvers.banded import operations, solve_banded
from vcycle.solvers.conjugate_gradients import conjugate_gradients
from vcycle.solvers.solution import Solution
from vcycle.solvers.start import best_multiple
from vcycle.spaces import Domain

Field = Float[Tensor, "b c *grid"]
PER_COEFFICIENT = 200.0  # operations of a factorisation that take as long as the iterations for one digit: for every
PER_BATCH = 6e7  # coefficient of a sample, and once for all samples, which iterate together


def solve_elliptic(
    moduli: Float[Tensor, "..."],
    domain: Domain,
    load: Field,
    *,
    reaction: Field | None = None,
    start: Field | None = None,
    tolerance: float = 1e-10,
    most: int = 200,
) -> Solution:
    """u with (C grad u, grad v) + (r u, v) = load(v) for every sample, operators.Compact; Dirichlet on some face.

    By Cholesky's factorisation, on the processor, where it takes fewer operations than iterations to the tolerance
    would (to about 128 x 128 cells for one component), else by conjugate gradients from `start` with the V-cycle of the
    same elements, whose number of iterations grows with the root of the anisotropy but not with the grid. Residuals are
    weighted with the inverse diagonal.
    """
    A = Compact.assemble(moduli, domain, reaction)
    if start is not None:
        start = best_multiple(start, A, load)
        residual = relative_residual(A, load, start)
        if bool((residual <= tolerance).all()):
            return Solution(start, residual, 0, residual <= tolerance, "the start meets the tolerance")
    iterating = PER_COEFFICIENT * A.k[0].numel() + PER_BATCH / len(load)
    if operations(A) > -iterating * math.log10(tolerance):
        cycle, weight = elements_multigrid(A, moduli, reaction), 1 / A.diagonal
        return conjugate_gradients(A, load, cycle, start=start, weight=weight, tolerance=tolerance, most=most)
    u = solve_banded(A, load)
    residual = relative_residual(A, load, u)
    message = f"solved directly to relative residuals of at most {float(residual.max()):.1e}"
    return Solution(u, residual, 1, residual <= tolerance, message)


def relative_residual(A: Compact, load: Field, u: Field) -> Float[Tensor, " b"]:
    """||load - A u|| / ||load|| in the norm weighted with the inverse diagonal of A."""
    r, weight = load - A(u), 1 / A.diagonal
    size = (load.square() * weight).flatten(1).sum(1)
    return ((r.square() * weight).flatten(1).sum(1) / torch.where(size == 0, 1.0, size)).sqrt()
