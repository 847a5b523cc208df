"""T1: a network on the spectrum between one analysis and one synthesis."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.checks import check_counts, check_field
from vcycle.networks.coordinates import Coordinates, append_coordinates
from vcycle.networks.spectrum import SpectrumLayer
from vcycle.operators import Pointwise, count_parameters
from vcycle.spaces import Basis, Condition, Domain, Space

BasisName = Literal["domain", "fourier", "cosine", "sine"]
FORCED: dict[str, Condition] = {"fourier": "periodic", "cosine": "neumann", "sine": "dirichlet"}
FIRST_OUTPUT = 0.1  # of the size that the last matrix would keep


class T1(nn.Module):
    """z_0 = s A P(a, x),   z_{l+1} = z_l + X_l sigma(R_l z_l),   u = S M_2 sigma_h(M_1 z_depth) / s + s b.

    A takes a function to its lowest coefficients in an orthonormal basis that fits the boundary conditions, S sums
    them up again; everything between lives on the coefficients. R_l(k) is a matrix on the channels for every mode k,
    X_l a matrix on the modes along each axis for every channel: sigma acts on coefficients, so it mixes frequencies,
    not points. P, M_1 and M_2 are matrices on the channels, P with a bias, b is a constant per output channel, and x
    are coordinates appended to the input.

    width, depth       channels and number of layers
    modes              coefficients kept per axis: one number, or one per axis; 16 Fourier modes are |k| <= 8
    basis              'domain' for the modes that fit the boundary conditions (sine where Dirichlet, cosine where
                       Neumann, Fourier where periodic); 'cosine' (as published), 'sine' or 'fourier' on all axes
    activation         sigma, by name
    head_activation    sigma_h, by name ('sine' as published);  head_width: the rows of M_1
    residual           z_l + in the layers
    coordinates        'cells' (centres), 'corners' (k / n) or 'ends' (k / (n - 1), as published), or None
    scale              s; unless given, the orthonormal transform of a grid with `modes` points: sqrt(modes / volume)

    The same function comes out at every resolution that carries the modes, and u - s b is band-limited. With sigma and
    sigma_h the identity the network is affine. R and X start with a variance that keeps the size of the spectrum
    through all layers, and M_2 a tenth of that; the published head of 1e-8 learns nothing for a while.
    Source: P39.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 24,
        depth: int = 4,
        modes: int | Sequence[int] = 16,
        basis: BasisName = "domain",
        activation: str = "gelu",
        head_activation: str = "gelu",
        head_width: int = 128,
        residual: bool = True,
        coordinates: Coordinates | None = "cells",
        scale: float | None = None,
        domain: Domain | None = None,
    ):
        super().__init__()
        check_counts("T1", in_channels=in_channels, depth=depth)
        self.domain = Domain.unit(2) if domain is None else domain
        d = self.domain.dimension
        self.in_channels, self.width, self.coordinates = in_channels, width, coordinates
        self.modes = (modes,) * d if isinstance(modes, int) else tuple(modes)
        if len(self.modes) != d or min(self.modes) < 1:
            raise ValueError(
                f"got modes={self.modes} for {d} axes: give one number for all, or one per axis, each 1 or more"
            )
        if basis != "domain" and basis not in FORCED:
            raise ValueError(f"unknown basis {basis!r}: expected 'domain', 'fourier', 'cosine' or 'sine'")
        fitting = self.domain if basis == "domain" else Domain(self.domain.extents, FORCED[basis])
        self.basis = Basis(fitting, "cell", self.modes)
        self.scale = math.sqrt(math.prod(self.modes) / math.prod(self.domain.lengths)) if scale is None else scale

        def space(channels: int) -> Space:
            return Space(self.domain, channels)

        self.lift = Pointwise(space(in_channels + (0 if coordinates is None else d)), space(width), bias=True)
        gain = 1 / math.sqrt(depth) if residual else 1.0
        self.layers = nn.Sequential(
            *(
                SpectrumLayer(
                    width, self.modes, activation_named(activation, space(width)), residual=residual, gain=gain
                )
                for _ in range(depth)
            )
        )
        self.inner, self.outer = (
            Pointwise(space(width), space(head_width)),
            Pointwise(space(head_width), space(out_channels)),
        )
        self.sigma = activation_named(head_activation, space(head_width))
        self.constant = nn.Parameter(torch.zeros(out_channels, *(1,) * d))
        nn.init.normal_(self.inner.weight, std=1 / math.sqrt(width))
        nn.init.normal_(self.outer.weight, std=FIRST_OUTPUT / math.sqrt(head_width))

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("T1", x, self.in_channels, self.domain)
        shape = tuple(x.shape[2:])
        carried = self.basis.counts(shape)
        if carried != self.modes:
            raise ValueError(
                f"T1 works on {self.modes} modes and the grid {shape} carries {carried} of them: "
                "take a finer grid, or build it with fewer modes"
            )
        z = self.scale * self.basis.analyse(self.lift(append_coordinates(x, self.coordinates)))
        z = self.outer(self.sigma(self.inner(self.layers(z))))
        # Normalised fields have a mean, which sines hardly carry; times s, it is learned as fast as coefficients are.
        return self.basis.synthesise(z, shape) / self.scale + self.scale * self.constant

    def extra_repr(self) -> str:
        return f"modes={self.modes}, width={self.width}, {count_parameters(self)} parameters"
