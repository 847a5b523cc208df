"""The shallow-water equations: dam breaks, bores and waves over a bottom."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.conservation_law import ConservationLaw
from vcycle.problems.shallow_fluxes import ShallowFluxes
from vcycle.solvers.finite_volumes import COURANT
from vcycle.solvers.shallow import ShallowLayer
from vcycle.spaces import Domain, Grid, generator

DAM_STREAM = 7
LEAST_DEPTH = 0.05


@dataclass(frozen=True)
class ShallowWater(ConservationLaw):
    """h_t + div(h u) = 0, (h u)_t + div(h u u + g h^2 / 2) = -g h grad b, for the depth h and the mean velocity u.

    gravity    g
    flow       'dam': a column of water with a vertical side, of random height, place and radius, in water of depth
               `depth`, at rest; 'waves': the surface is depth + amplitude z with a Gaussian field z, at rest
    depth      of the water at rest, measured from b = 0
    amplitude  height of the column (times a random number in (1/2, 3/2)), or size of the waves
    bottom     'flat', or 'rough': b is relief z, with a Gaussian field z, and the first input
    relief     size of the bottom; at least a twentieth of the depth stays above it

    Behaviour: bores run outward with the speed (g h)^(1/2), rarefactions inward, and come back from walls. The volume
    of water is kept to rounding, and a lake at rest stays at rest, whatever its bottom. Dry ground is no part of it: a
    sample that falls dry is reported as not converged. Good values: g = 1, depth = 1, column of 1 with a radius of a
    sixth of the box, T = 0.2 on the unit square with walls at 64 x 64.
    HLLC fluxes and hydrostatic reconstruction in cells with limited slopes; see ConservationLaw.
    """

    name: ClassVar[str] = "shallow_water"
    title: ClassVar[str] = "shallow water"
    equation: ClassVar[str] = "h_t + div(h u) = 0, (h u)_t + div(h u u + g h^2 / 2) = -g h grad b"

    courant: ClassVar[float] = COURANT  # with twice that nearly all dam breaks take two halvings

    domain: Domain = Domain.unit(2, "neumann")
    gravity: float = 1.0
    flow: Literal["dam", "waves"] = "dam"
    depth: float = 1.0
    amplitude: float = 1.0
    bottom: Literal["flat", "rough"] = "flat"
    relief: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("gravity", "depth"):
            self.require_positive(name, getattr(self, name))

    @property
    def components(self) -> tuple[str, ...]:
        return ("h", "u", "v")[: self.domain.dimension + 1]

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return ("b",) if self.bottom == "rough" else ()

    @property
    def system(self) -> ShallowLayer:
        return ShallowLayer(self.gravity, self.riemann)

    @property
    def second_fluxes(self) -> ShallowFluxes:
        return ShallowFluxes(self.gravity, self.riemann)

    def fixed(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        if self.bottom == "flat":
            return super().fixed(shape, seed, indices)
        b = self.relief * self.noise(shape, seed, indices, stream=1)
        return b.clamp_max((1 - LEAST_DEPTH) * self.depth)

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        indices = list(indices)
        raised = self._columns(shape, seed, indices) if self.flow == "dam" else self.noise(shape, seed, indices, 0)
        h = self.depth + self.amplitude * raised
        if self.bottom == "rough":
            h = h - self.fixed(shape, seed, indices)
        h = h.clamp_min(LEAST_DEPTH * self.depth)
        return torch.cat([h, torch.zeros_like(h).expand(-1, self.domain.dimension, *shape)], 1)

    def background(self, inputs: Inputs) -> Field:
        return torch.zeros_like(inputs[:, :1]) if self.bottom == "flat" else super().background(inputs)

    def volume(self, state: Field) -> PerSample:
        """The integral of h."""
        return (state[:, 0] * Grid(self.domain, tuple(state.shape[2:])).weights()).flatten(1).sum(1)

    def _columns(self, shape: tuple[int, ...], seed: int, indices: list[int]) -> Field:
        """A column per sample, within the middle half of the box, with a radius of a tenth to a quarter of its side."""
        mesh, least = Grid(self.domain, shape).mesh(), min(self.domain.lengths)
        out = []
        for index in indices:
            height, size, *place = generator(seed, index, DAM_STREAM).random(2 + self.domain.dimension)
            square = torch.zeros(())
            for x, share, (low, _), length in zip(mesh, place, self.domain.extents, self.domain.lengths, strict=True):
                square = square + (x - low - length * (1 + 2 * float(share)) / 4) ** 2
            column = square < (least * (0.1 + 0.15 * float(size))) ** 2
            out.append((0.5 + float(height)) * column.double())
        return torch.stack(out)[:, None]
