"""How wrong a continuous function really is, for tensors, displacements and flows: by the solution on finer cells."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.cell_quadrature import gauss_points, gradient_at
from vcycle.hybrid.halved_cells import repeated
from vcycle.hybrid.traction import work
from vcycle.jobs.true_error import MOST_CELLS, TrueError, joined
from vcycle.problems import Elasticity, FiniteElements, Problem
from vcycle.spaces import Grid
from vcycle.surrogate.guarantee import guarantee

Inputs = Float[Tensor, "b i *grid"]
Vertices = Float[Tensor, "b c *points"]
Array = np.ndarray
HALVINGS = 2
MOST_ELASTIC = 2**14  # cells


def halvings(problem: Problem, shape: tuple[int, ...]) -> int:
    """How often cells are halved along every axis: twice at most, and never beyond what the bound takes seconds for."""
    most = MOST_ELASTIC if isinstance(problem, Elasticity) else MOST_CELLS
    return min(HALVINGS, math.floor(math.log2(most / math.prod(shape)) / len(shape)))


def nested_error(problem: Problem, inputs: Inputs, field: Vertices) -> TrueError | None:
    """The error of the multilinear function v through `field`, with inputs that are constant on cells; None where the
    grid leaves no room for a finer one.

    With the answer w on cells halved along every axis and its guaranteed bound: ||w - v|| - bound and ||w - v|| + bound
    enclose ||u - v||. Better where u minimises a quadratic energy: 2 (f, w) - ||w||^2 <= ||u||^2 <= that + bound^2.
    """
    times = halvings(problem, tuple(inputs.shape[2:]))
    if times < 1:
        return None
    return joined([_enclose(problem, inputs[i : i + 1], field[i : i + 1], times) for i in range(len(inputs))])


def _enclose(problem: Problem, inputs: Inputs, field: Vertices, times: int) -> TrueError:
    fine, v = inputs, field.numpy(force=True)
    for _ in range(times):
        fine = repeated(fine)
        for axis in range(2, v.ndim):
            v = _between(v, axis)
    given = guarantee(problem, fine, problem.solve(fine).value, "continuum", 0)
    if given is None:
        raise ValueError(f"{problem.title} has no bound on a finer grid: measure it on a coarser one")
    w = given.field.numpy(force=True)
    spacing = Grid(problem.domain, tuple(n - 1 for n in w.shape[2:])).spacing
    if not isinstance(problem, FiniteElements):
        one = np.eye(len(spacing) ** 2).reshape((1, *(len(spacing),) * 4, *(1,) * len(spacing)))
        distance, size = (torch.from_numpy(np.sqrt(_square(x, one, spacing))) for x in (w - v, w))
        return TrueError((distance - given.bound).clamp_min(0), distance + given.bound, size)
    moduli = _on_cells_of(w, problem.moduli(fine)[:, :, :, :, :, 0])
    force = _on_cells_of(w, problem.forcing(fine))

    def energy(x: Array) -> Tensor:
        """||x||^2 - 2 (f, x), with the work of a traction."""
        return torch.from_numpy(_square(x, moduli, spacing) - 2 * work(x, force, problem.traction, spacing))

    least = -energy(w)
    below = least + energy(v)
    high = below + given.bound.square()
    return TrueError(below.clamp_min(0).sqrt(), high.clamp_min(0).sqrt(), least.sqrt())


def _square(w: Array, moduli: Array, spacing: tuple[float, ...]) -> Array:
    """The integral of grad w : C grad w, exactly: of degree 2 in every coordinate."""
    total = np.zeros(len(w))
    for point, weight in gauss_points(len(spacing), 2):
        slope = gradient_at(w, spacing, point)
        flux = np.einsum("bikjl...,bjl...->bik...", moduli, slope)
        total += weight * math.prod(spacing) * _total(flux * slope)
    return total


def _total(x: Array) -> Array:
    return x.reshape(len(x), -1).sum(1)


def _between(v: Array, axis: int) -> Array:
    """Vertex values with those in the middles between."""
    n = v.shape[axis]
    out = np.repeat(v, 2, axis).take(range(2 * n - 1), axis)
    index = [slice(None)] * v.ndim
    index[axis] = slice(1, None, 2)
    out[tuple(index)] = (v.take(range(n - 1), axis) + v.take(range(1, n), axis)) / 2
    return out


def _on_cells_of(w: Array, x: Tensor) -> Array:
    """What is constant on cells of the grid, on the cells between the vertices of w: the same, or their halves."""
    d = w.ndim - 2
    for axis in range(x.ndim - d, x.ndim):
        x = x.repeat_interleave((w.shape[axis - x.ndim] - 1) // x.shape[axis], axis)
    return x.double().numpy(force=True)
