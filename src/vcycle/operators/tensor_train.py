"""The tensor train."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.low_rank import Kept, LowRank, Shape, grow, leading_singular_vectors, usual_samples


class TensorTrain(LowRank):
    """T_{n1...nd} = sum_{r1...r(d-1)} G1_{n1 r1} G2_{r1 n2 r2} ... Gd_{r(d-1) nd}: a product of matrices per entry.

    The matrix of T with the first k axes as rows has at most rank r_k. Ranks in proportion to the mean of the two
    axes they stand between unless given. Source: the library of P151, release 2.0.
    """

    @staticmethod
    def sizes(shape: Shape, ranks: Shape) -> list[Shape]:
        inner = zip(ranks, shape[1:-1], ranks[1:], strict=False)
        return [(shape[0], ranks[0]), *inner, (ranks[-1], shape[-1])]

    @staticmethod
    def largest_ranks(shape: Shape, fits: Callable[[Shape], bool]) -> Shape:
        limits = [min(math.prod(shape[:k]), math.prod(shape[k:])) for k in range(1, len(shape))]
        return grow(limits, [(left + right) / 2 for left, right in pairwise(shape)], fits)

    @staticmethod
    def rank_count(shape: Shape) -> int:
        return len(shape) - 1

    @classmethod
    @torch.no_grad()
    def from_dense(
        cls, T: Float[Tensor, "..."], rank: int | float | Sequence[int], *, pairs: bool = False
    ) -> "TensorTrain":
        """The TT-SVD: exact at full rank, within sqrt(d - 1) of the best approximation otherwise."""
        rest = torch.view_as_complex(T.contiguous()) if pairs else T
        shape = tuple(rest.shape)
        cores, ranks, left = [], [], 1
        for n, r in zip(shape, cls.ranks_of(shape, rank), strict=False):
            U, S, Vh = leading_singular_vectors(rest.reshape(left * n, -1), r)
            cores.append(U.reshape(left, n, -1))
            rest, left = S[:, None] * Vh, U.shape[1]
            ranks.append(left)
        cores.append(rest)
        form = cls(shape, ranks, pairs=pairs).to(T)
        for parameter, value in zip(form.factors, cores, strict=True):
            parameter.copy_((torch.view_as_real(value) if pairs else value).reshape(parameter.shape))
        return form

    def dense(self, kept: Kept = ()) -> Float[Tensor, "..."]:
        return self._contract("nr,r...->n...", self.factors[0][self._slice(0, kept)], self._rest(kept))

    def multiply(self, v: Float[Tensor, "b i ..."], kept: Kept = ()) -> Float[Tensor, "b o ..."]:
        (i, o), p, batch = self.shape[:2], self.ranks[0], usual_samples(v)
        if batch * p * (i + o) < batch * i * o + i * p * o:
            v = self._contract("bi...,ip->bp...", v, self.factors[0])
            return self._contract("bp...,po...->bo...", v, self._rest(kept))
        return self._contract("bi...,io...->bo...", v, self.dense(kept))

    def _rest(self, kept: Kept) -> Tensor:
        """All but the first factor: (r1, n2, ..., nd)."""
        last = len(self.shape) - 1
        T = self.factors[last][:, self._slice(last, kept)]
        for axis in reversed(range(1, last)):
            T = self._contract("pnr,r...->pn...", self.factors[axis][:, self._slice(axis, kept)], T)
        return T
