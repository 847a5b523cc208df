"""Interpolation with weights that an operator prescribes, and its transpose."""

import copy
import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.operators.parity import Class, Parity, Shift
from vcycle.spaces import Space

Field = Float[Tensor, "b c *grid"]


class OperatorInterpolation(LinearOperator):
    """(P u)_i = sum over the coarse neighbours j of point i of w_ij u_j; at coarse points u itself.

    The weights come from `prescribed_coarsening`, the points of the two grids are those of `parity`.
    """

    def __init__(self, weights: Float[Tensor, "b terms *slots"], parity: Parity):
        super().__init__(Space(parity.domain), Space(parity.domain))
        self.parity = parity
        self.register_buffer("weights", weights)

    weights: Tensor

    def forward(self, u: Field) -> Float[Tensor, "b c *target"]:
        parity, near = self.parity, _with_neighbours(u, self.parity)
        out = u.new_empty(*u.shape[:2], *parity.shape)
        out[parity.places(parity.classes[0])] = u
        values: dict[Class, Tensor] = {}
        for c, move, weight in self.terms():
            seen = near[_seen(parity, c, move)]
            values[c] = torch.addcmul(values[c], weight, seen) if c in values else weight * seen
        for c, value in values.items():
            out[parity.places(c)] = value
        return out

    def transpose(self) -> "OperatorRestriction":
        """P^T, which hands what belongs to a point to the coarse points that it is interpolated from."""
        return OperatorRestriction(self)

    def adjoint(self) -> LinearOperator:
        return _ratio(self.parity) * self.transpose()

    def norm_bound(self) -> float:
        """Schur's test: the root of the largest row sum of |P| times the largest column sum."""
        size = copy.deepcopy(self)
        size.weights.abs_()
        batch, parity = len(self.weights), self.parity
        rows = size(self.weights.new_ones(batch, 1, *parity.coarse)).amax()
        columns = size.transpose()(self.weights.new_ones(batch, 1, *parity.shape)).amax()
        return math.sqrt(float(rows * columns) * _ratio(self.parity))

    def terms(self) -> list[tuple[Class, Shift, Tensor]]:
        """Class, shift to the coarse neighbour, and weights (b, 1, *points of the class)."""
        terms = []
        for (c, move), weight in zip(self.parity.terms, self.weights.unbind(1), strict=True):
            points = tuple(slice(0, n) for n in self.parity.counts(c))
            terms.append((c, move, weight[(slice(None), None, *points)]))
        return terms


class OperatorRestriction(LinearOperator):
    """R f = P^T f for residuals f integrated over cells."""

    def __init__(self, P: OperatorInterpolation):
        super().__init__(P.target, P.source)
        self.P = P

    def forward(self, u: Field) -> Float[Tensor, "b c *target"]:
        parity = self.P.parity
        out = _with_neighbours(u[parity.places(parity.classes[0])], parity, wrap=False)
        parts = {c: u[parity.places(c)].contiguous() for c in parity.classes[1:]}
        for c, move, weight in self.P.terms():
            out[_seen(parity, c, move)].addcmul_(weight, parts[c])
        for axis in parity.axes:
            dim, m = axis - len(parity.shape), parity.coarse[axis]
            if not parity.open(axis):  # the point before the first is the last
                out.narrow(dim, m, 1).add_(out.narrow(dim, 0, 1))
            out = out.narrow(dim, 1, m)
        return out

    def adjoint(self) -> LinearOperator:
        return 1 / _ratio(self.P.parity) * self.P

    def norm_bound(self) -> float:
        """Of the interpolation, times the ratio of the volumes of cells."""
        return self.P.norm_bound() / _ratio(self.P.parity)


def _ratio(parity: Parity) -> float:
    """Of the volume of a fine cell to that of a coarse one."""
    return math.prod(parity.coarse) / math.prod(parity.shape)


def _with_neighbours(u: Tensor, parity: Parity, wrap: bool = True) -> Tensor:
    """Coarse values with those of the points beyond both ends; zeros there unless the axis is periodic."""
    for axis in parity.axes:
        dim = axis - len(parity.shape)
        nothing = torch.zeros_like(u.narrow(dim, 0, 1))
        last = u.narrow(dim, parity.coarse[axis] - 1, 1) if wrap else nothing
        u = torch.cat([nothing, u, nothing] if parity.open(axis) else [last, u], dim)
    return u


def _seen(parity: Parity, c: Class, move: Shift) -> tuple[Any, ...]:
    """Where the neighbours `move` slots further are, among coarse values with neighbours, for all points of a class."""
    found: list[Any] = [...]
    for axis, (n, m) in enumerate(zip(parity.counts(c), move, strict=True)):
        found.append(slice(m + 1, m + 1 + n) if axis in parity.axes else slice(None))
    return tuple(found)
