"""Tensors of low rank: the parameters are factors, the tensor is their product."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.pairs import contract

Shape = tuple[int, ...]
Kept = tuple[slice, ...]  # which indices of the last axes are asked for
ANY = 16  # samples in a batch of which only the program's user will know the size


class LowRank(nn.Module, ABC):
    """A tensor T of shape (n_1, ..., n_d), real or complex, made of small factors.

    rank        a share of the numbers of the dense tensor, 0 < rank <= 1: the largest ranks with no more numbers, all
                at least 1; or the ranks themselves, as a sequence
    pairs       complex numbers, in a further last axis of two (of T, its factors and what T is multiplied with)
    deviation   sqrt(E|T|^2) at the start; the factors are normal, all of one variance

    `kept` holds slices of the last axes: T is cut by cutting its factors.
    """

    def __init__(
        self, shape: Sequence[int], rank: int | float | Sequence[int], *, pairs: bool = False, deviation: float = 1.0
    ):
        super().__init__()
        self.shape, self.pairs = tuple(shape), pairs
        self.ranks = self.ranks_of(self.shape, rank)
        sizes = self.sizes(self.shape, self.ranks)
        # Every number of T is a sum of prod(ranks) products, one number of each factor in it.
        size = (deviation / math.sqrt(math.prod(self.ranks))) ** (1 / len(sizes))
        self.factors = nn.ParameterList(size * _normal(s, pairs) for s in sizes)

    @classmethod
    def ranks_of(cls, shape: Shape, rank: int | float | Sequence[int]) -> Shape:
        """The ranks themselves."""
        if isinstance(rank, int | float):
            if not 0 < rank <= 1:
                raise ValueError(f"got rank={rank}: give a share of the dense parameters in (0, 1], or a list of ranks")
            budget = rank * math.prod(shape)
            return cls.largest_ranks(shape, lambda ranks: sum(map(math.prod, cls.sizes(shape, ranks))) <= budget)
        ranks, count = tuple(rank), cls.rank_count(shape)
        if len(ranks) != count or min(ranks) < 1:
            raise ValueError(
                f"got ranks {ranks} for a tensor of shape {shape} as {cls.__name__}: give {count} positive "
                "numbers, or a share of the dense parameters"
            )
        return ranks

    @staticmethod
    @abstractmethod
    def sizes(shape: Shape, ranks: Shape) -> list[Shape]:
        """The shapes of the factors."""

    @staticmethod
    @abstractmethod
    def largest_ranks(shape: Shape, fits: Callable[[Shape], bool]) -> Shape:
        """The largest ranks that fit, in proportion to the axes; ones where none do."""

    @staticmethod
    @abstractmethod
    def rank_count(shape: Shape) -> int:
        """How many ranks the form has."""

    @abstractmethod
    def dense(self, kept: Kept = ()) -> Float[Tensor, "..."]:
        """T."""

    @abstractmethod
    def multiply(self, v: Float[Tensor, "b i ..."], kept: Kept = ()) -> Float[Tensor, "b o ..."]:
        """sum_i T_io... v_bi...: factor by factor if that takes fewer products than T itself."""

    def _contract(self, equation: str, a: Tensor, b: Tensor) -> Tensor:
        return contract(equation, a, b, pairs=self.pairs)

    def _slice(self, axis: int, kept: Kept) -> slice:
        """Which indices of an axis of T are asked for."""
        position = axis - len(self.shape)
        return kept[position] if -position <= len(kept) else slice(None)

    def extra_repr(self) -> str:
        return f"{self.shape}, ranks={self.ranks}"


def grow(limits: Sequence[int], sizes: Sequence[int | float], fits: Callable[[Shape], bool]) -> Shape:
    """Ranks from 1 on, the one that is the smallest share of its size raised first, within limits and while they fit.

    >>> grow((9, 9), (1, 2), lambda ranks: sum(ranks) <= 10)
    (4, 6)
    """
    ranks, growing = [1] * len(limits), set(range(len(limits)))
    while growing:
        k = min(growing, key=lambda k: (ranks[k] / sizes[k], k))
        ranks[k] += 1
        if ranks[k] > limits[k] or not fits(tuple(ranks)):
            ranks[k] -= 1
            growing.remove(k)
    return tuple(ranks)


def usual_samples(v: Float[Tensor, "b ..."]) -> int:
    """The number of samples, by which orders of products are chosen; a usual one in a program that takes any number."""
    count = v.shape[0]
    return count if isinstance(count, int) else ANY


def leading_singular_vectors(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """U, S and V^H of the best approximation of that rank."""
    U, S, Vh = torch.linalg.svd(matrix, full_matrices=False)
    return U[:, :rank], S[:rank], Vh[:rank]


def _normal(size: Shape, pairs: bool) -> Tensor:
    """Standard normal numbers: complex ones have variance 1/2 in either part."""
    return math.sqrt(0.5) * torch.randn(*size, 2) if pairs else torch.randn(size)
