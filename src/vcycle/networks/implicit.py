"""Implicit network: one layer, applied until it changes nothing."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_counts
from vcycle.networks.coordinates import CoordinatesOrAuto
from vcycle.networks.equilibrium import Equilibrium, Step
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.networks.stencil_network import StencilNetwork
from vcycle.networks.steps import CycleStep, GraphStep, SpectralStep, SubhomogeneousStep, banach_steps
from vcycle.operators import Stencil, count_parameters
from vcycle.spaces import Domain, Placement, Space

StepName = Literal["spectral", "graph", "subhomogeneous", "cycle"]
SPARE_STEPS = 5  # beyond Banach's number, for a fixed point smaller than the first residual
UNPROVEN_STEPS = 50


class Implicit(StencilNetwork):
    """c = P(a, x),   z* = T(z*; c),   u = Q z*:   the equation is solved, not unrolled.

    P is a stencil and a perceptron on the channels, Q a perceptron on the channels. T is one of
      'spectral'        sigma(W z + c), ||W|| Lip(sigma) <= rate: contracts in L2 for any parameters
      'graph'           rate A(c) z + b(c), A stochastic over the neighbours: linear, contracts in the maximum norm
      'subhomogeneous'  tanh(|K| z) + relu(c) + 1.2: contracts in the Thompson metric, start from positive fields
      'cycle'           sigma(V z + c), V a learned V-cycle: no proof, convergence is checked in evaluation
    The first two need no more than log(tolerance) / log(rate) iterations, and say so by construction. Memory does not
    grow with the iterations, and more of them can be asked for after training.

    width, modes       channels, and modes per axis of 'spectral' (one number, or one per axis)
    rate               of the contractions; nearer to 1 reaches farther and iterates longer
    levels             grids of 'cycle'; each has half the points of the one above, rounded up
    tolerance, most    relative residual of the fixed point; most iterations (None: as many as the proof needs, 50
                       without one)
    damping, window    z <- damping z + (1 - damping) T(z); number of residuals that Anderson acceleration combines
    activation         sigma, one with a known Lipschitz constant for 'spectral'
    coordinates        'cells' (centres) of the unit box as further inputs, or None
    resolution         the grid that the stencils belong to, best the training grid (StencilNetwork)
    placement          what the values of `resolution` stand for: 'cell' or 'vertex'

    Sources: P142 (iterated operators), P152 (subhomogeneous), P2 (linear contractions from the input), P37 (gradients).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 64,
        step: StepName = "spectral",
        modes: int | Sequence[int] = 12,
        rate: float = 0.8,
        levels: int = 4,
        tolerance: float = 1e-3,
        most: int | None = None,
        damping: float = 0.0,
        window: int = 0,
        activation: str = "tanh",
        coordinates: CoordinatesOrAuto | None = "cells",
        resolution: int | Sequence[int] | None = None,
        placement: Placement = "cell",
        domain: Domain | None = None,
    ):
        super().__init__(in_channels, domain, coordinates, resolution, placement)
        check_counts("Implicit", levels=levels, most=most)
        check_counts("Implicit", least=0, window=window)
        self.levels = levels
        hidden, d = Space(self.domain, width), self.domain.dimension
        T = _step(step, hidden, (modes,) * d if isinstance(modes, int) else modes, rate, levels, activation)
        if most is None:
            most = UNPROVEN_STEPS if T.rate is None else banach_steps(T.rate, tolerance) + SPARE_STEPS
        lifted = Space(self.domain, self.seen_channels)
        context = Space(self.domain, T.context)
        self.lift = nn.Sequential(
            Stencil(lifted, hidden, bias=True),
            nn.GELU(),
            ChannelPerceptron(hidden, hidden, context, nn.GELU()),
        )
        self.equilibrium = Equilibrium(T, tolerance=tolerance, most=most, damping=damping, window=window)
        self.project = ChannelPerceptron(hidden, hidden, Space(self.domain, out_channels), nn.GELU())

    def on_grid(self, x: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        least = 2 ** (self.levels - 2) + 1
        if isinstance(self.equilibrium.step, CycleStep) and any(n < least for n in x.shape[2:]):
            raise ValueError(
                f"Implicit with step='cycle' and {self.levels} levels needs axes of {least:g} points or more, got "
                f"{tuple(x.shape[2:])}: take fewer levels or another step"
            )
        return self.project(self.equilibrium(self.lift(x)))

    def extra_repr(self) -> str:
        return f"{count_parameters(self)} parameters"


def _step(name: str, space: Space, modes: Sequence[int], rate: float, levels: int, activation: str) -> Step:
    if name == "spectral":
        return SpectralStep(space, modes, rate, activation)
    if name == "graph":
        return GraphStep(space, rate)
    if name == "subhomogeneous":
        return SubhomogeneousStep(space)
    if name == "cycle":
        return CycleStep(space, levels, activation)
    raise ValueError(f"unknown step {name!r}: expected 'spectral', 'graph', 'subhomogeneous' or 'cycle'")
