"""A learned change of coordinates of the plane."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

CENTRE = 1e-4  # of the polar coordinates, on both axes
CODE = 42


class Deformation(nn.Module):
    """x -> x + x M(F(x), g), componentwise: M a perceptron with tanh, F features of the point, g a code of the shape.

    F(x) = (L p, sin(pi 2^j p), cos(pi 2^j p)), j < width / 4, of p = (x_1, x_2, angle, radius) about a centre; L is a
    matrix. M has three hidden layers of 4 width channels. A code has 42 numbers; without one a matrix takes its place.
    """

    def __init__(self, width: int, code: bool):
        super().__init__()
        if width % 4:
            raise ValueError(f"a deformation has width / 4 frequencies, so its width is a multiple of 4, got {width}")
        self.frequencies, inner = width // 4, 4 * width
        self.features = nn.Linear(4, width)
        self.code = nn.Linear(CODE, width) if code else None
        self.no_code = None if code else nn.Linear(3 * width, inner)
        self.layers = nn.Sequential(
            *(layer for _ in range(3) for layer in (nn.Linear(inner, inner), nn.Tanh())), nn.Linear(inner, 2)
        )

    def forward(self, x: Float[Tensor, "b n 2"], code: Float[Tensor, "b g"] | None) -> Float[Tensor, "b n 2"]:
        if (code is None) != (self.code is None):
            given, expected = ("no code", "one") if code is None else ("a code", "none")
            raise ValueError(f"got {given} of the shape, but this deformation was built with use_code for {expected}")
        offset = x - CENTRE
        angle = torch.atan2(offset[..., 1], offset[..., 0])
        p = torch.stack([x[..., 0], x[..., 1], angle, torch.linalg.vector_norm(offset, dim=-1)], -1)
        octaves = math.pi * 2.0 ** torch.arange(self.frequencies, dtype=x.dtype, device=x.device)
        phase = (p[..., None] * octaves).flatten(-2)
        f = torch.cat([self.features(p), phase.sin(), phase.cos()], -1)
        if self.code is not None:
            f = torch.cat([self.code(code)[:, None].expand(-1, x.shape[1], -1), f], -1)
        elif self.no_code is not None:
            f = self.no_code(f)
        return x + x * self.layers(f)
