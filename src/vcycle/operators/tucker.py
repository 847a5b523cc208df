"""The Tucker form of a tensor."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.low_rank import Kept, LowRank, Shape, grow, leading_singular_vectors, usual_samples


class Tucker(LowRank):
    """T_{n1...nd} = sum_{r1...rd} G_{r1...rd} U1_{n1 r1} ... Ud_{nd rd}: a core and a matrix per axis.

    The unfolding of T along an axis has at most the rank of that axis. Ranks in proportion to the axes unless given.
    Source: the library of P151, release 2.0 (TFNO).
    """

    @staticmethod
    def sizes(shape: Shape, ranks: Shape) -> list[Shape]:
        return [ranks, *zip(shape, ranks, strict=True)]

    @staticmethod
    def largest_ranks(shape: Shape, fits: Callable[[Shape], bool]) -> Shape:
        return grow(shape, shape, fits)

    @staticmethod
    def rank_count(shape: Shape) -> int:
        return len(shape)

    @classmethod
    @torch.no_grad()
    def from_dense(cls, T: Float[Tensor, "..."], rank: int | float | Sequence[int], *, pairs: bool = False) -> "Tucker":
        """The truncated higher-order SVD: exact at full rank, within sqrt(d) of the best approximation otherwise."""
        core = torch.view_as_complex(T.contiguous()) if pairs else T
        ranks = cls.ranks_of(tuple(core.shape), rank)
        matrices = []
        for axis, r in enumerate(ranks):
            U = leading_singular_vectors(core.movedim(axis, 0).flatten(1), r)[0]
            matrices.append(U)
            core = torch.tensordot(U.mH, core, dims=([1], [axis])).movedim(0, axis)
        form = cls(tuple(T.shape[: len(ranks)]), tuple(core.shape), pairs=pairs).to(T)
        for parameter, value in zip(form.factors, [core, *matrices], strict=True):
            parameter.copy_(torch.view_as_real(value.resolve_conj()) if pairs else value)
        return form

    def dense(self, kept: Kept = ()) -> Float[Tensor, "..."]:
        return self._expanded(range(len(self.shape)), kept)

    def multiply(self, v: Float[Tensor, "b i ..."], kept: Kept = ()) -> Float[Tensor, "b o ..."]:
        C = self._expanded(range(2, len(self.shape)), kept)  # p q ...: one small matrix per mode
        U, V = self.factors[1], self.factors[2]
        (i, o), (p, q), batch = self.shape[:2], self.ranks[:2], usual_samples(v)
        if batch * (i * p + p * q + q * o) < batch * i * o + i * p * q + i * q * o:
            v = self._contract("bi...,ip->bp...", v, U)
            v = self._contract("bp...,pq...->bq...", v, C)
            return self._contract("bq...,oq->bo...", v, V)
        R = self._contract("iq...,oq->io...", self._contract("pq...,ip->iq...", C, U), V)
        return self._contract("bi...,io...->bo...", v, R)

    def _expanded(self, axes: range, kept: Kept) -> Tensor:
        """The core times the matrices of some axes."""
        T, letters = self.factors[0], "abcdefgh"[: len(self.shape)]
        for axis in reversed(axes):
            rank = letters[axis]
            U = self.factors[axis + 1][self._slice(axis, kept)]
            T = self._contract(f"{letters},n{rank}->{letters.replace(rank, 'n')}", T, U)
        return T
