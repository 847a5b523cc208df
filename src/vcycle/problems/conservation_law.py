"""Hyperbolic conservation laws on boxes with walls: shocks, contacts and waves."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool1d, avg_pool2d

from vcycle.problems.base import Field, Inputs
from vcycle.problems.godunov import Fluxes, Ghosts, Godunov
from vcycle.problems.method_of_lines import MethodOfLines
from vcycle.solvers import FiniteVolumes, HyperbolicSystem, halve_steps
from vcycle.solvers.finite_volumes import COURANT
from vcycle.solvers.gas import RiemannSolver
from vcycle.spaces import Domain, GaussianField, Grid

States = Float[Tensor, "b _ ..."]
Limited = Literal["van_leer", "minmod"]


@dataclass(frozen=True)
class ConservationLaw(MethodOfLines):
    """q_t + div F(q) = S(q) in one or two dimensions; states are given and asked for in primitive variables w.

    Values are those of averages over cells: w(average of q). Neumann faces are reflecting walls: nothing flows through
    them, and the fluid slips along. With `absorbing` they let waves out instead (the last cell goes on beyond the
    face, which reflects a little of what arrives at an angle). Dirichlet faces are refused.

    history     states given, `time` / `snapshots` apart
    limiter     of the slopes in the cells: 'van_leer' or the more cautious 'minmod'
    riemann     flux between cells: 'hllc', or 'rusanov', which smears contacts
    refinement  solved on so many times as many cells per axis, from the limited linear functions in the cells of the
                input, and averaged: nearer to the equation where the grid is too coarse for it

    Second order where the solution is smooth, first order in L1 at shocks, less at contacts. A label is the solution
    of the finite-volume scheme of the grid, exact in time to `accuracy`, and the second solver another implementation
    of that scheme, with other forms of the fluxes and other steps; what the grid itself does to a label is measured by
    `discretisation_error`. States without positive density, pressure or depth are reported as not converged.
    """

    courant: ClassVar[float] = 2 * COURANT  # of the first steps, which are halved at least once

    domain: Domain = Domain.unit(2, "periodic")
    time: float = 0.2
    history: int = 1
    limiter: Limited = "van_leer"
    riemann: RiemannSolver = "hllc"
    refinement: int = 1
    absorbing: bool = False
    alpha: float = 4.0
    tau: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.domain.dimension == 3 or any("dirichlet" in faces for faces in self.domain.boundary):
            raise ValueError(
                f"{self.name} is solved in one or two dimensions between periodic faces and walls (neumann), "
                f"got {self.domain}"
            )
        if min(self.history, self.refinement) < 1:
            raise ValueError(
                f"{self.name} needs at least 1 state and refinement >= 1, got history={self.history}, "
                f"refinement={self.refinement}"
            )

    @property
    @abstractmethod
    def system(self) -> HyperbolicSystem:
        """The fluxes."""

    @property
    @abstractmethod
    def second_fluxes(self) -> Fluxes:
        """The same as the second solver has them."""

    @abstractmethod
    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        """The initial states, without the fixed inputs."""

    def fixed(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        """The fixed inputs."""
        return torch.zeros(len(list(indices)), 0, *shape, dtype=torch.float64)

    def background(self, inputs: Inputs) -> Field:
        """The variables of the scheme that stand behind a state and do not change: the fixed inputs."""
        return inputs[:, : len(self.fixed_names)]

    @property
    def order(self) -> int:
        """2, because limiters have corners; smooth solutions are of third order in time."""
        return 2

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices = list(indices)
        first = torch.cat([self.fixed(shape, seed, indices), self.initial(shape, seed, indices)], 1)
        if self.history == 1:
            return first
        later = halve_steps(lambda x, k: self._march(x, self.history - 1, k), first, self.order, self.accuracy)
        if not bool(later.converged.all()):
            raise ValueError(f"{self.name} has no states to begin with: {later.message}")
        return torch.cat([first, later.value], 1)

    def march(self, inputs: Inputs, halvings: int) -> Field:
        return self._march(inputs, self.snapshots, halvings)

    def march_again(self, inputs: Inputs) -> Field:
        volumes, w = self._refined(inputs, self.refinement)
        ghosts = tuple(self._ghosts(axis) for axis in range(self.domain.dimension))
        scheme = Godunov(self.second_fluxes, Grid(self.domain, volumes.shape).spacing, ghosts, self.limiter)
        found = [scheme.states(sample, self.interval, self.snapshots, self.accuracy) for sample in w.numpy()]
        return self._averaged(torch.from_numpy(np.stack(found)), self.snapshots, self.refinement)

    def _ghosts(self, axis: int) -> Ghosts:
        if self.domain.periodic(axis):
            return "periodic"
        return "absorbing" if self.absorbing else "wall"

    def discretisation_error(self, inputs: Inputs, u: Field) -> Float[Tensor, "b s"]:
        """The relative L1 difference of every channel of u from the solution on twice as many cells per axis.

        The error itself is about twice as large where shocks dominate (first order), and a third larger in smooth flow.
        Channels that vanish are measured absolutely.
        """
        volumes, w = self._refined(inputs, 2 * self.refinement)
        states = volumes.march(w, self.interval, self.snapshots, COURANT / 2)
        fine = self._averaged(states, self.snapshots, 2 * self.refinement)
        difference, size = (v.flatten(2).abs().mean(2) for v in (u - fine, fine))
        return difference / torch.where(size > 0, size, 1.0)

    def noise(self, shape: tuple[int, ...], seed: int, indices: Iterable[int], stream: int) -> Field:
        """Gaussian fields of mean zero and variance one."""
        field = GaussianField(self.domain, self.alpha, self.tau)
        return field.standard(shape, seed, indices, stream=stream)

    def _march(self, inputs: Inputs, snapshots: int, halvings: int) -> Field:
        volumes, w = self._refined(inputs, self.refinement)
        states = volumes.march(w, self.interval, snapshots, self.courant / 2**halvings)
        return self._averaged(states, snapshots, self.refinement)

    def _refined(self, inputs: Inputs, factor: int) -> tuple[FiniteVolumes, States]:
        """The scheme on finer cells, and there the last state with its background."""
        inputs = inputs.double()
        w = torch.cat([inputs[:, -len(self.components) :], self.background(inputs)], 1)
        volumes = FiniteVolumes(self.system, self.domain, tuple(w.shape[2:]), self.limiter, self.absorbing)
        return volumes.refined(w, factor)

    def _averaged(self, states: States, snapshots: int, factor: int) -> States:
        """The states asked for in the cells of the grid, without their background."""
        pool = avg_pool1d if self.domain.dimension == 1 else avg_pool2d
        count, out = len(self.components), []
        for w in states.chunk(snapshots, 1):
            average = w if factor == 1 else self.system.primitive(pool(self.system.conserved(w), factor))
            out.append(average[:, :count])
        return torch.cat(out, 1)
