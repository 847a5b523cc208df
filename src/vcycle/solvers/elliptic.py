"""Batches of linear elliptic systems on finite elements, solved by the method that is faster."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import Compact, diffusion_cycles
from vcycle.solvers.conjugate_gradients import conjugate_gradients
from vcycle.solvers.direct import solve_direct
from vcycle.solvers.solution import Solution
from vcycle.spaces import Domain

Field = Float[Tensor, "b c *grid"]
DIRECT_CELLS = 128**2  # in two dimensions; there the factorisation takes as long as the iteration


def solve_elliptic(
    moduli: Float[Tensor, "..."],
    domain: Domain,
    load: Field,
    *,
    reaction: Field | None = None,
    tolerance: float = 1e-10,
    most: int = 200,
) -> Solution:
    """u with (C grad u, grad v) + (r u, v) = load(v) for every sample, operators.Compact; Dirichlet on some face.

    Directly up to 128 x 128 cells in one or two dimensions, whatever the anisotropy; else by conjugate gradients with a
    V-cycle per component, whose number of iterations grows with the root of the anisotropy but not with the grid.
    Residuals are weighted with the inverse diagonal.
    """
    A = Compact.assemble(moduli, domain, reaction)
    weight = 1 / A.diagonal
    if domain.dimension == 3 or math.prod(load.shape[2:]) > DIRECT_CELLS:
        cycles = diffusion_cycles(moduli, domain)
        return conjugate_gradients(A, load, cycles, weight=weight, tolerance=tolerance, most=most)
    rows = [torch.from_numpy(solve_direct(A.to_scipy(i), b.numpy(force=True).ravel())) for i, b in enumerate(load)]
    u = torch.stack(rows).view(load.shape).to(load)
    residual = relative_residual(A, load, u)
    message = f"solved directly to relative residuals of at most {float(residual.max()):.1e}"
    return Solution(u, residual, 1, residual <= tolerance, message)


def relative_residual(A: Compact, load: Field, u: Field) -> Float[Tensor, " b"]:
    """||load - A u|| / ||load|| in the norm weighted with the inverse diagonal of A."""
    r, weight = load - A(u), 1 / A.diagonal
    size = (load.square() * weight).flatten(1).sum(1)
    return ((r.square() * weight).flatten(1).sum(1) / torch.where(size == 0, 1.0, size)).sqrt()
