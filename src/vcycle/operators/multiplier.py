"""The weight of spectral operators, one matrix per mode: dense or of low rank."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.canonical import Canonical
from vcycle.operators.low_rank import Kept, LowRank
from vcycle.operators.pairs import contract
from vcycle.operators.tensor_train import TensorTrain
from vcycle.operators.tucker import Tucker
from vcycle.spaces import Space

Factorization = Literal["tucker", "cp", "tt"]
FACTORIZATIONS: dict[str, type[LowRank]] = {"tucker": Tucker, "cp": Canonical, "tt": TensorTrain}
Multiplier = Tensor | LowRank


def multiplied_channels(source: Space, target: Space, modes: Sequence[int], separable: bool) -> tuple[int, ...]:
    """The axes of R for the channels."""
    if len(modes) != source.domain.dimension or min(modes) < 1:
        raise ValueError(f"got modes {tuple(modes)} for {source.domain}: give one number per axis, each 1 or more")
    if not separable:
        return source.channels, target.channels
    if source.channels != target.channels:
        raise ValueError(
            f"a separable operator keeps the channels apart, so it cannot map {source.channels} to {target.channels} "
            "channels: set separable=False"
        )
    return (source.channels,)


def multiplier(
    channels: tuple[int, ...],
    modes: Sequence[int],
    deviation: float,
    *,
    pairs: bool,
    factorization: Factorization | None,
    rank: int | float | Sequence[int],
) -> Multiplier:
    """R with axes (in, out, *modes), or (channels, *modes) if separable: normal with that deviation."""
    shape = (*channels, *modes)
    if factorization is None:
        # A complex standard normal: variance 1/2 in either part.
        return nn.Parameter(deviation * (math.sqrt(0.5) * torch.randn(*shape, 2) if pairs else torch.randn(shape)))
    if factorization not in FACTORIZATIONS:
        raise ValueError(f"unknown factorization {factorization!r}: expected 'tucker', 'cp', 'tt' or None")
    return FACTORIZATIONS[factorization](shape, rank, pairs=pairs, deviation=deviation)


def multiply(
    R: Multiplier, v: Float[Tensor, "b i ..."], kept: Kept, *, pairs: bool, separable: bool
) -> Float[Tensor, "b o ..."]:
    """R_k v_k for the kept modes."""
    if isinstance(R, LowRank) and not separable:
        return R.multiply(v, kept)
    everything = (slice(None),) * (1 if separable else 2)
    weight = R.dense(kept) if isinstance(R, LowRank) else R[(*everything, *kept)]
    return contract("bi...,i...->bi..." if separable else "bi...,io...->bo...", v, weight, pairs=pairs)


def mode_by_mode(weight: Float[Tensor, "i o ..."], *, pairs: bool) -> Float[Tensor, "i o ..."]:
    """The same dense multiplier, the matrix of one mode behind that of another in memory, as `contract` takes them.

    >>> mode_by_mode(torch.zeros(2, 3, 5), pairs=False).stride()
    (3, 1, 6)
    """
    if pairs:
        return weight.movedim((0, -1, 1), (-3, -2, -1)).contiguous().movedim((-3, -2, -1), (0, -1, 1))
    return weight.movedim((0, 1), (-2, -1)).contiguous().movedim((-2, -1), (0, 1))


def largest_norm(R: Multiplier, *, pairs: bool, separable: bool) -> float:
    """max_k ||R_k||_2."""
    weight = (R.dense() if isinstance(R, LowRank) else R).detach().double()
    matrices = torch.view_as_complex(weight.contiguous()) if pairs else weight
    if separable:
        return float(matrices.abs().max())
    return float(torch.linalg.matrix_norm(matrices.flatten(2).movedim(-1, 0), 2).max())
