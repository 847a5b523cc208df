"""The independent second solver of variational problems: Newton on sparse matrices with direct solutions.

Of the first solver it shares the integrand l and V alone: derivatives are taken by automatic differentiation, the
matrices are Kronecker products, and the damping watches the size of the gradient instead of the energy.
"""

import math
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.element_matrices import gradient_matrices, on_subcells
from vcycle.problems.variational_energy import DiscreteEnergy, natural
from vcycle.solvers import solve_direct

Field = Float[Tensor, "b 1 *grid"]
Array = np.ndarray
STEPS, HALVINGS = 200, 40
FLOOR = 1e-6  # of the stiffness in the matrices, relative to the largest; the gradient knows none


def minimise_assembled(energy: DiscreteEnergy, tolerance: float) -> Field:
    """The minimum for every sample of a batch."""
    out = []
    for a, c, f, g in zip(*(t[:, 0].numpy(force=True) for t in (energy.a, energy.c, energy.f, energy.g)), strict=True):
        out.append(_minimise(energy, a, c, f, g, tolerance).reshape(f.shape))
    return torch.from_numpy(np.stack(out))[:, None].to(energy.f)


def _minimise(energy: DiscreteEnergy, a: Array, c: Array, f: Array, g: Array, tolerance: float) -> Array:
    domain, d = energy.domain, energy.domain.dimension
    G = sp.vstack(gradient_matrices(domain, f.shape), "csr")
    outer = np.concatenate([matrix @ g.ravel() for matrix in gradient_matrices(natural(domain), f.shape)])
    cell = math.prod(domain.lengths) / f.size
    weights = on_subcells(a[None], d) * cell / 2**d
    density, potential = energy.integrand.density, energy.integrand.potential

    def parts(v: Array) -> tuple[Array, Array, sp.csr_array]:
        """The gradient of E, the flux, and the Hessian, at u = g + v."""
        p = (G @ v + outer).reshape(d, -1)
        slope, curvature = _derivatives(density, (p**2).sum(0))
        stiff = np.maximum(slope, FLOOR * slope.max())
        reaction, reaction_slope = _derivatives(potential, g.ravel() + v)
        flux = 2 * slope * weights * p
        blocks = [
            [sp.diags_array(weights * (4 * curvature * p[k] * p[m] + 2 * stiff * (k == m))) for m in range(d)]
            for k in range(d)
        ]
        hessian = G.T @ sp.block_array(blocks).tocsr() @ G + sp.diags_array(cell * c.ravel() * reaction_slope)
        return G.T @ flux.ravel() + cell * (c.ravel() * reaction - f.ravel()), flux, sp.csr_array(hessian)

    one = sp.diags_array(np.tile(weights, d))
    v = solve_direct(sp.csc_array(G.T @ one @ G), cell * f.ravel() - G.T @ (one @ outer))
    gradient, _, hessian = parts(v)
    for _ in range(STEPS):
        size = np.linalg.norm(gradient)
        step, t = solve_direct(sp.csc_array(hessian), gradient), 1.0
        for _ in range(HALVINGS):
            new = parts(v - t * step)
            if np.linalg.norm(new[0]) < (1 - t / 10) * size:
                break
            t /= 2
        else:
            break
        v, (gradient, flux, hessian) = v - t * step, new
        if np.linalg.norm(gradient) < tolerance * 1e-2 * np.linalg.norm(np.abs(G).T @ np.abs(flux).ravel()):
            break
    return g.ravel() + v


def _derivatives(function: Callable[[Tensor], Tensor], x: Array) -> tuple[Array, Array]:
    """First and second derivative of a pointwise function; 0 where it does not depend on its argument."""
    point = torch.from_numpy(x).requires_grad_()
    with torch.enable_grad():
        value = function(point).sum() + 0 * point.square().sum()
        (first,) = torch.autograd.grad(value, point, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), point)
    return first.detach().numpy(), second.numpy()
