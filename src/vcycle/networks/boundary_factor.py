"""A function that is zero exactly where solutions are."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain


def boundary_factor(points: Float[Tensor, "b d *grid"], domain: Domain) -> Float[Tensor, "b 1 *grid"]:
    """m(x): 0 on Dirichlet faces, positive elsewhere, at most 1; x in the unit box.

    m is the lowest eigenfunction of the Laplacian with the domain's conditions: sin pi x between two Dirichlet faces,
    sin pi x / 2 above one, cos pi x / 2 below one, 1 along all other axes. Source: P111, P304.
    """
    factor = torch.ones_like(points[:, :1])
    for x, faces in zip(points.split(1, 1), domain.boundary, strict=True):
        low, high = (face == "dirichlet" for face in faces)
        if low and high:
            # Sines of the distance to the nearer end, since sin(pi) is not 0 in floating point.
            factor = factor * (math.pi * torch.minimum(x, 1 - x)).sin()
        elif low or high:
            factor = factor * (math.pi / 2 * (x if low else 1 - x)).sin()
    return factor
