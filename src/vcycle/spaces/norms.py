"""Norms with quadrature: the same values serve as loss, as metric and as stopping rule."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.basis import Basis
from vcycle.spaces.domain import Domain
from vcycle.spaces.faces import FaceField, conductances, energy
from vcycle.spaces.grid import Grid, Placement

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]


class Norm(ABC):
    """A norm of functions sampled on a grid, one number per sample; channels are summed in the square."""

    @abstractmethod
    def __call__(self, u: Field) -> PerSample:
        """||u||."""

    def relative(self, u: Field, reference: Field) -> PerSample:
        """||u - reference|| / ||reference||."""
        return self(u - reference) / self(reference)


@dataclass(frozen=True)
class L2(Norm):
    """||u||^2 = integral of u^2.

    >>> u = torch.ones(1, 1, 8, 8)
    >>> L2(Domain([2.0, 2.0]))(u)
    tensor([2.])
    """

    domain: Domain
    placement: Placement = "cell"

    def __call__(self, u: Field) -> PerSample:
        weights = Grid(self.domain, tuple(u.shape[2:]), self.placement).weights().to(u)
        return (u.square() * weights).flatten(1).sum(1).sqrt()


@dataclass(frozen=True)
class H1(Norm):
    """||u||^2 = integral of u^2 + |grad u|^2, gradients by differences of neighbours.

    On cells the boundary condition enters the differences at the boundary faces; vertices hold the boundary values.
    """

    domain: Domain
    placement: Placement = "cell"

    def __call__(self, u: Field) -> PerSample:
        return (L2(self.domain, self.placement)(u).square() + gradient_energy(u, self.domain, self.placement)).sqrt()


@dataclass(frozen=True)
class HMinus1(Norm):
    """||u||^2 = integral of u (s I - Laplacian)^-1 u, with the domain's boundary conditions, by one basis transform.

    `shift` is s > 0. The Laplacian is that of differences on the grid, dual to H1, or if `exact` that of the modes:
    ||u||^2 = sum_k u_k^2 / (s + |omega_k|^2).
    """

    domain: Domain
    placement: Placement = "cell"
    shift: float = 1.0
    exact: bool = False

    def __call__(self, u: Field) -> PerSample:
        shape = tuple(u.shape[2:])
        basis = Basis(self.domain, self.placement)
        c = basis.analyse(u)
        spacing = None if self.exact else Grid(self.domain, shape, self.placement).spacing
        symbol = self.shift + basis.laplacian(basis.counts(shape), spacing, u.device).to(u)
        z = basis.synthesise(c / symbol, shape)
        weights = Grid(self.domain, shape, self.placement).weights().to(u)
        return (u * z * weights).flatten(1).sum(1).clamp_min(0).sqrt()


@dataclass(frozen=True)
class Energy(Norm):
    """||u||_a^2 = integral of a |grad u|^2 + c u^2, on cells, with harmonic means of a at the faces.

    `coefficient` is a (b, 1, *grid) or broadcasts to it; so is the `reaction` c, None for 0.
    """

    domain: Domain
    coefficient: Float[Tensor, "b 1 *grid"]
    reaction: Float[Tensor, "b 1 *grid"] | None = None

    def __call__(self, u: Field) -> PerSample:
        square = energy(conductances(self.coefficient, self.domain), u, self.domain).sum(1)
        if self.reaction is not None:
            square = square + L2(self.domain)(self.reaction.sqrt() * u).square()
        return square.sqrt()


def gradient_energy(u: Field, domain: Domain, placement: Placement) -> PerSample:
    """The integral of |grad u|^2."""
    if placement == "cell":
        unit: FaceField = conductances(torch.ones_like(u[:1, :1]), domain)
        return energy(unit, u, domain).sum(1)
    grid = Grid(domain, tuple(u.shape[2:]), placement)
    total = u.new_zeros(u.shape[0])
    for axis in range(domain.dimension):
        dim = axis + 2
        step = u.roll(-1, dim) - u if domain.periodic(axis) else u.diff(dim=dim)
        weights = torch.full((step.shape[dim],), 1 / grid.spacing[axis], dtype=torch.float64)
        for other in range(domain.dimension):
            w = weights if other == axis else grid.axis_weights(other)
            shape = [1] * u.ndim
            shape[other + 2] = -1
            step = step * w.to(u).sqrt().view(shape)
        total = total + step.square().flatten(1).sum(1)
    return total
