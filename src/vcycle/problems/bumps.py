"""Smooth bumps at random places, the same functions at every resolution."""

import math
from collections.abc import Iterable
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, Grid, generator

BUMP_STREAM = 2


def bumps(
    domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int], count: int, width: float
) -> Float[Tensor, "b 1 *grid"]:
    """s = 1 - prod_i (1 - b_i), b_i a bump of height 1 and standard deviation `width` about a random place.

    Along an axis a bump is exp((cos(2 pi (x - c) / L) - 1) / (2 pi width / L)^2), nearly a Gaussian, and periodic. Its
    mirror images at Neumann faces are among the bumps, so that s fits the faces.
    """
    axes = [Grid(domain, shape).axis(i) - domain.extents[i][0] for i in range(domain.dimension)]
    periods = [length * (1 if domain.periodic(i) else 2) for i, length in enumerate(domain.lengths)]
    out = []
    for index in indices:
        empty = torch.ones(shape, dtype=torch.float64)
        for place in generator(seed, index, BUMP_STREAM).random((count, domain.dimension)):
            centres = [float(share) * length for share, length in zip(place, domain.lengths, strict=True)]
            images = [(c,) if domain.periodic(i) else (c, -c) for i, c in enumerate(centres)]
            for image in product(*images):
                bump = torch.ones(())
                for x, c, period in zip(axes, image, periods, strict=True):
                    k = 2 * math.pi / period
                    bump = bump[..., None] * torch.exp((torch.cos(k * (x - c)) - 1) / (k * width) ** 2)
                empty = empty * (1 - bump)
        out.append(1 - empty)
    return torch.stack(out)[:, None]
