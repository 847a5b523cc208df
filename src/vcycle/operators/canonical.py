"""The canonical polyadic form of a tensor."""

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from vcycle.operators.low_rank import Kept, LowRank, Shape, usual_samples


class Canonical(LowRank):
    """T_{n1...nd} = sum_r g_r U1_{n1 r} ... Ud_{nd r}: a sum of products of vectors (CP).

    There is no closed form of the best approximation, hence no `from_dense`. Source: the library of P151, release 2.0.
    """

    @staticmethod
    def sizes(shape: Shape, ranks: Shape) -> list[Shape]:
        return [ranks, *((n, *ranks) for n in shape)]

    @staticmethod
    def largest_ranks(shape: Shape, fits: Callable[[Shape], bool]) -> Shape:
        low, high = 1, math.prod(shape)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits((middle,)) else (low, middle - 1)
        return (low,)

    @staticmethod
    def rank_count(shape: Shape) -> int:
        return 1

    def dense(self, kept: Kept = ()) -> Float[Tensor, "..."]:
        return self._contract("r...,nr->n...", self._products(1, kept), self.factors[1][self._slice(0, kept)])

    def multiply(self, v: Float[Tensor, "b i ..."], kept: Kept = ()) -> Float[Tensor, "b o ..."]:
        (i, o), (r,), batch = self.shape[:2], self.ranks, usual_samples(v)
        if batch * r * (i + 1 + o) < batch * i * o + i * o * r:
            v = self._contract("bi...,ir->br...", v, self.factors[1])
            v = self._contract("br...,r...->br...", v, self._products(2, kept))
            return self._contract("br...,or->bo...", v, self.factors[2])
        return self._contract("bi...,io...->bo...", v, self.dense(kept))

    def _products(self, first: int, kept: Kept) -> Tensor:
        """g_r times the vectors of the axes from `first` on: (r, *axes)."""
        D = self.factors[0]
        for axis in range(first, len(self.shape)):
            D = self._contract("r...,nr->r...n", D, self.factors[axis + 1][self._slice(axis, kept)])
        return D
