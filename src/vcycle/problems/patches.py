"""Piecewise constant functions, the initial states of Riemann problems: the same at every resolution."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, Grid, generator

PATCH_STREAM = 7


def patches(
    domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int], channels: int
) -> Float[Tensor, "b c *grid"]:
    """Values uniform in (-1, 1) in each of the parts into which one cut across every axis divides the box.

    The cuts are uniform in the middle third of their axis; a periodic box has a second one at its ends.
    """
    d, out = domain.dimension, []
    for index in indices:
        rng = generator(seed, index, PATCH_STREAM)
        cuts, values = (1 + rng.random(d)) / 3, torch.from_numpy(rng.uniform(-1, 1, (channels, *(2,) * d)))
        for axis, (cut, (low, _), length) in enumerate(zip(cuts, domain.extents, domain.lengths, strict=True)):
            beyond = ((Grid(domain, shape).axis(axis) - low) / length > float(cut)).long()
            values = values.index_select(axis + 1, beyond)
        out.append(values)
    return torch.stack(out)
