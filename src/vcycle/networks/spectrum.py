"""Layers on spectra: tensors of coefficients (batch, channel, *modes) in some basis of functions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

Spectrum = Float[Tensor, "b _ *modes"]


class ModeMatrices(nn.Module):
    """(R z)_o(k) = sum_i R_io(k) z_i(k): a matrix on the channels for every mode k."""

    def __init__(self, in_channels: int, out_channels: int, modes: tuple[int, ...], gain: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_channels, out_channels, *modes) * gain / math.sqrt(in_channels))

    def forward(self, z: Spectrum) -> Spectrum:
        return torch.einsum("bi...,io...->bo...", z, self.weight)


class FrequencyMatrices(nn.Module):
    """(X z)_c(k) = sum_l X^1_c(l_1, k_1) ... X^d_c(l_d, k_d) z_c(l): per channel a matrix on the modes of each axis."""

    def __init__(self, channels: int, modes: tuple[int, ...]):
        super().__init__()
        self.axes = nn.ParameterList(torch.randn(m, m, channels) / math.sqrt(m) for m in modes)

    def forward(self, z: Spectrum) -> Spectrum:
        for dim, matrix in enumerate(self.axes, start=2):
            z = torch.einsum("bc...l,lkc->bc...k", z.movedim(dim, -1), matrix).movedim(-1, dim)
        return z


class SpectrumLayer(nn.Module):
    """z -> z + X sigma(R z), or X sigma(R z) if not `residual`."""

    def __init__(
        self, channels: int, modes: tuple[int, ...], sigma: nn.Module, *, residual: bool = True, gain: float = 1.0
    ):
        super().__init__()
        self.R, self.X = ModeMatrices(channels, channels, modes, gain), FrequencyMatrices(channels, modes)
        self.sigma: nn.Module = sigma
        self.residual = residual

    def forward(self, z: Spectrum) -> Spectrum:
        w = self.X(self.sigma(self.R(z)))
        return z + w if self.residual else w
