"""Starts that cannot do harm, made of whatever was proposed."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import LinearOperator

Field = Float[Tensor, "b c *grid"]


def best_multiple(v: Field, A: LinearOperator, load: Field) -> Field:
    """(f, v) / (A v, v) v, the multiple of v closest to A^-1 f in the energy of A; 0 where v is 0 or not finite.

    Whatever v is, its energy error is at most that of zero.
    """
    axes = tuple(range(1, v.ndim))
    v = normalised(v)
    energy = (v * A(v)).sum(axes, keepdim=True)
    factor = (load * v).sum(axes, keepdim=True) / torch.where(energy > 0, energy, 1.0)
    return torch.where(energy > 0, factor, 0.0) * v


def normalised(v: Field) -> Field:
    """v in double precision with largest entry 1, squares of huge values would overflow; 0 where it is not finite."""
    finite = torch.isfinite(v).flatten(1).all(1).view(-1, *[1] * (v.ndim - 1))
    v = torch.where(finite, v, 0.0).double()
    largest = v.abs().amax(tuple(range(1, v.ndim)), keepdim=True)
    return v / torch.where(largest > 0, largest, 1.0)
