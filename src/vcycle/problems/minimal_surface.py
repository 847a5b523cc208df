"""Minimal surfaces: the soap film u(x, y) in a wire frame."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Inputs
from vcycle.problems.variational import Values, Variational
from vcycle.problems.variational_energy import DiscreteEnergy
from vcycle.spaces import Domain, GaussianField, Grid


@dataclass(frozen=True)
class MinimalSurface(Variational):
    """-div(grad u / (1 + |grad u|^2)^(1/2)) = 0 on a box; u = g on Dirichlet faces, and the surface meets walls over
    Neumann faces at right angles: the least area, the integral of (1 + |grad u|^2)^(1/2).

    amplitude   standard deviation of the height g of the frame
    alpha, tau  smoothness and inverse length of g (spaces.GaussianField)

    Behaviour: smooth inside; nearly harmonic for flat frames (amplitude below 0.1 on the unit square), far from it for
    high ones. One surface for every frame, the base being convex.
    Input: g, of which the values on Dirichlet faces count, to which it is continued linearly. Samples fill the inside
    with the blend of the frame (Coons' patch), which is a first guess of the surface and a function of the frame alone.
    Good values: amplitude 0.3, with slopes around 1; at amplitude 3 they reach 400 and take 15 Newton steps.
    """

    name: ClassVar[str] = "minimal_surface"
    title: ClassVar[str] = "minimal surfaces"
    equation: ClassVar[str] = "-div(grad u / (1 + |grad u|^2)^(1/2)) = 0"

    amplitude: float = 0.3
    alpha: float = 3.0
    tau: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.domain.dimension == 1:
            raise ValueError(f"minimal_surface is for two or three dimensions, got {self.domain}: a line is straight")
        if not 0 < self.amplitude < math.inf:
            raise ValueError(f"minimal_surface needs a positive amplitude, got {self.amplitude:g}")

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("g",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        field = GaussianField(self.domain, self.alpha, self.tau)
        # A grid of half the spacing has the cell centres at its odd points, and points on the faces.
        points = tuple(2 * n + (not self.domain.periodic(axis)) for axis, n in enumerate(shape))
        z = field.standard(points, seed, list(indices), "vertex")
        centres = (slice(None), slice(None), *(slice(1, None, 2),) * self.domain.dimension)
        return self.amplitude * blend(z, self.domain)[centres]

    def density(self, s: Values) -> Values:
        return (1 + s).sqrt()

    def diffusivity(self, s: Values) -> Values:
        return (1 + s).rsqrt()

    def diffusivity_slope(self, s: Values) -> Values:
        return -((1 + s).rsqrt() ** 3) / 2

    def discrete(self, inputs: Inputs) -> DiscreteEnergy:
        self.require_channels(inputs)
        g = inputs.double()
        zero = torch.zeros_like(g)
        return DiscreteEnergy(self, self.domain, torch.ones_like(g), zero, zero, g)


def blend(z: Float[Tensor, "..."], domain: Domain) -> Float[Tensor, "..."]:
    """The Boolean sum over axes of interpolation between the Dirichlet faces, from vertex values; Coons' patch in 2-D.

    It has the values of z on all Dirichlet faces and depends on no others.
    """
    rest = z
    grid = Grid(domain, tuple(z.shape[2:]), "vertex")
    for axis, (faces, (low, high)) in enumerate(zip(domain.boundary, domain.extents, strict=True)):
        dim = axis - domain.dimension
        share = ((grid.axis(axis) - low) / (high - low)).view(-1, *(1,) * (-dim - 1))
        ends = [rest.narrow(dim, 0, 1), rest.narrow(dim, rest.shape[dim] - 1, 1)]
        if faces == ("dirichlet", "dirichlet"):
            rest = rest - (1 - share) * ends[0] - share * ends[1]
        elif "dirichlet" in faces:
            rest = rest - ends[faces.index("dirichlet")]
    return z - rest
