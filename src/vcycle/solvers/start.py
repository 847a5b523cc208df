"""Starts that cannot do harm, made of whatever was proposed."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import LinearOperator
from vcycle.solvers.products import dot, guarded
from vcycle.spaces import finite, per_sample

Field = Float[Tensor, "b c *grid"]


def best_multiple(v: Field, A: LinearOperator, load: Field) -> Field:
    """(f, v) / (A v, v) v, the multiple of v closest to A^-1 f in the energy of A; 0 where v is 0 or not finite.

    Whatever v is, its energy error is at most that of zero.
    """
    v = normalised(v)
    energy = dot(v, A(v))
    return torch.where(energy > 0, dot(load, v) / guarded(energy), 0.0) * v


def normalised(v: Field) -> Field:
    """v in double precision with largest entry 1, squares of huge values would overflow; 0 where it is not finite."""
    v = torch.where(per_sample(finite(v), v), v, 0.0).double()
    return v / guarded(v.abs().amax(tuple(range(1, v.ndim)), keepdim=True))
