"""Fourier layers between point clouds and grids, by plain sums over the points."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.fourier import analyse, synthesise
from vcycle.operators.pairs import contract


class CloudToGrid(nn.Module):
    """u_p, p = 1, ..., n  ->  v(y) = Re sum_k R_k c_k exp(2 pi i k.y) / |grid|,   c_k = sum_p u_p exp(-2 pi i k.x_p).

    Points x_p and y are in the unit square, k = (k_1, k_2) with -m_1 <= k_1 < m_1 and |k_2| < m_2; R_k are complex
    matrices on the channels, for k_2 < 0 the conjugates. c is a plain sum, with neither weights nor a factor 1 / n.
    """

    def __init__(self, channels: int, modes: tuple[int, int], grid: tuple[int, int]):
        super().__init__()
        if 2 * modes[0] > grid[0] or modes[1] > grid[1] // 2 + 1:
            raise ValueError(
                f"a grid of {grid} points carries {(grid[0] // 2, grid[1] // 2 + 1)} modes, got {modes}: take fewer "
                "modes or a finer grid"
            )
        self.grid, self.multiplier = grid, HalfPlaneMultiplier(channels, modes)

    def forward(self, u: Float[Tensor, "b c n"], x: Float[Tensor, "b n 2"]) -> Float[Tensor, "b c *grid"]:
        cosine, sine = _waves(x, self.multiplier.modes)
        c = torch.stack([torch.einsum("bcn,bnkl->bckl", u, wave) for wave in (cosine, -sine)], -1)
        return synthesise(self.multiplier(c), _half_plane(self.multiplier.modes), self.grid) / math.prod(self.grid)


class GridToCloud(nn.Module):
    """v on a grid  ->  u(x) = Re sum_k R_k c_k (exp(2 pi i k.x) + [k_2 > 0] exp(2 pi i (k + e_1).x)), c_k of v.

    The second term stands for the conjugate half k_2 < 0, as published: shifted by one along k_1, so that u is not the
    trigonometric polynomial with these coefficients.
    """

    def __init__(self, channels: int, modes: tuple[int, int]):
        super().__init__()
        self.multiplier = HalfPlaneMultiplier(channels, modes)

    def forward(self, v: Float[Tensor, "b c *grid"], x: Float[Tensor, "b n 2"]) -> Float[Tensor, "b c n"]:
        modes = self.multiplier.modes
        c = self.multiplier(analyse(v, _half_plane(modes)) * math.prod(v.shape[2:]))
        mirrored = (torch.arange(modes[1], device=x.device) > 0).to(x)
        cosine, sine = (w + mirrored * s for w, s in zip(_waves(x, modes), _waves(x, modes, shift=1), strict=True))
        return torch.einsum("bcklt,bnklt->bcn", c, torch.stack([cosine, -sine], -1))


class HalfPlaneMultiplier(nn.Module):
    """c_k -> R_k c_k for k_1 = -m_1, ..., m_1 - 1 and k_2 = 0, ..., m_2 - 1, complex numbers as pairs of real ones."""

    def __init__(self, channels: int, modes: tuple[int, int]):
        super().__init__()
        self.modes = modes
        shape = (channels, channels, *modes, 2)
        self.positive = nn.Parameter(torch.rand(shape) / channels**2)  # k_1 = 0, ..., m_1 - 1
        self.negative = nn.Parameter(torch.rand(shape) / channels**2)  # k_1 = -m_1, ..., -1

    def forward(self, c: Float[Tensor, "b c k l 2"]) -> Float[Tensor, "b c k l 2"]:
        return contract("bikl,iokl->bokl", c, torch.cat([self.negative, self.positive], 2), pairs=True)


def _half_plane(modes: tuple[int, int]) -> list[range]:
    m1, m2 = modes
    return [range(-m1, m1), range(m2)]


def _waves(x: Tensor, modes: tuple[int, int], shift: int = 0) -> tuple[Tensor, Tensor]:
    """cos and sin of 2 pi (k + shift e_1).x at every point, (b, n, 2 m_1, m_2)."""
    m1, m2 = modes
    first = torch.arange(-m1, m1, dtype=x.dtype, device=x.device)[:, None] + shift
    second = torch.arange(m2, dtype=x.dtype, device=x.device)
    phase = 2 * math.pi * (x[..., :1, None] * first + x[..., 1:, None] * second)
    return phase.cos(), phase.sin()
