"""How fast an equation lets errors grow: rates by a theorem, where there is one."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems import (
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    Evolution,
    FisherKPP,
    Heat,
    KdV,
    KuramotoSivashinsky,
    NavierStokes,
    SwiftHohenberg,
)
from vcycle.solvers import FourierGrid
from vcycle.spaces import CPU

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]


def growth_rate(
    problem: Evolution, shape: tuple[int, ...], device: torch.device = CPU
) -> Callable[[Field], PerSample] | None:
    """mu(v) with (F(u) - F(v), u - v) <= mu(v) ||u - v||^2 in L2 for the F of u_t = F(u) on a grid; None if unknown.

    v lies on the device.

    With m the largest real part of L, by the product rule and as u . grad is skew for div u = 0:

        heat, advection and diffusion   m
        Allen-Cahn                      m, for -u^3 falls
        Swift-Hohenberg                 m + g^2 / 3, the steepest that g u^2 - u^3 is
        Fisher-KPP                      m - r min v, as u >= 0
        u_t + s u u_x = L u             m + s max(-v_x) / 2: Burgers (s = 1) and Kuramoto-Sivashinsky (1) in one
                                        dimension, Korteweg-de Vries (6)
        Navier-Stokes                   m + max |grad w| / k, k the smallest wave number

    They hold on the grid, where the 2/3 rule makes sums of products of three functions integrals; v is what that keeps.
    """
    equation = problem.equation_on(shape, device)
    grid, most = equation.grid, float(torch.as_tensor(equation.linear).real.max())
    if isinstance(problem, Heat | AdvectionDiffusion | AllenCahn):
        return lambda v: v.new_full((len(v),), most)
    if isinstance(problem, SwiftHohenberg):
        return lambda v: v.new_full((len(v),), most + problem.quadratic**2 / 3)
    if isinstance(problem, FisherKPP):
        return lambda v: most - problem.growth * grid.inverse(grid.transform(v) * grid.resolved).flatten(1).amin(1)
    if not isinstance(grid, FourierGrid):
        return None
    if (speed := _steepening(problem)) is not None:
        return lambda v: most - speed / 2 * _slopes(v, grid)[0].flatten(1).amin(1)
    if isinstance(problem, NavierStokes):
        lowest = min(float(k[k > 0].min()) for k in grid.wavenumbers)
        return lambda w: most + torch.stack(_slopes(w, grid)).square().sum(0).sqrt().flatten(1).amax(1) / lowest
    return None


def _steepening(problem: Evolution) -> float | None:
    """The s of u_t + s u u_x = L u."""
    if isinstance(problem, KdV):
        return 6.0
    one = isinstance(problem, Burgers) or (isinstance(problem, KuramotoSivashinsky) and problem.form == "conservative")
    return 1.0 if one and problem.domain.dimension == 1 else None


def _slopes(v: Field, grid: FourierGrid) -> list[Field]:
    """The gradient of what the 2/3 rule keeps of v."""
    v_hat = grid.transform(v) * grid.resolved
    return [grid.inverse(1j * k * v_hat) for k in grid.odd_wavenumbers]
