"""The PDE itself: functions multilinear on cells, Raviart-Thomas fluxes, and what no such flux can balance."""

import math
from abc import abstractmethod
from functools import cached_property

import torch
from jaxtyping import Bool
from torch import Tensor

from vcycle.hybrid.equation import Equation, Field, Function
from vcycle.hybrid.flow import Flow
from vcycle.hybrid.reconstruction import at_vertices, cell_means, flux_misfit, mass
from vcycle.spaces import Grid, root


class Multilinear(Equation):
    """The PDE with coefficients constant on cells.

    Functions are given by vertex values (n + 1 per axis), the a-weighted averages of cell values; flows are those of
    RT0. What f - c w deviates from its mean over a cell is not balanced by a flow (`deviation`).
    """

    def function(self, v: Field) -> Function:
        return at_vertices(v, self.a, self.domain)

    def misfit(self, q: Flow, w: Function) -> Field:
        """The integrals of |q - a grad w|^2 / a + (p - c w)^2 / c, p = what the flow's last entry takes per volume.

        In cells that are not stiff w in the second term is its mean; the rest is part of `deviation`.
        """
        return self._gradient_misfit(q, w) + self._reaction_misfit(q, w)

    def square(self, w: Function) -> Field:
        nothing = tuple(torch.zeros_like(t) for t in self.operator.faces)
        if self.c is None:
            return self._gradient_misfit(nothing, w)
        mean, rest = mass(w, self.domain)
        return self._gradient_misfit(nothing, w) + self.volume * self.c * (mean.square() + rest)

    def means(self, w: Function) -> Field:
        return cell_means(w)

    def deviation(self, w: Function, oscillation: Field | None) -> Field:
        """||r|| min{(h / pi) a^(-1/2), c^(-1/2)} with ||r|| <= ||f - mean f|| + c ||w - mean w||, h the longest side.

        r has mean zero, so (r, z) = (r, z - mean z) <= ||r|| (h / pi) ||grad z|| (Poincare on a box), and
        (r, z) <= ||r|| c^(-1/2) ||c^(1/2) z||; where the latter is less the cell is stiff.
        """
        size = torch.zeros_like(self.a) if oscillation is None else oscillation
        if self.c is None:
            return size if oscillation is None else self._poincare * size
        square = torch.where(self._stiff, 0.0, self.volume * mass(w, self.domain)[1])
        size = size + self.c * root(square)
        return torch.where(self._stiff, 1 / torch.where(self._stiff, self.c, 1.0).sqrt(), self._poincare) * size

    @abstractmethod
    def _gradient_misfit(self, q: Flow, w: Function) -> Field:
        """The integrals of |q - a grad w|^2 / a."""

    @property
    @abstractmethod
    def _poincare(self) -> Field:
        """sup ||z - mean z|| / ||a^(1/2) grad z|| on every cell, or more."""

    def _reaction_misfit(self, q: Flow, w: Function) -> Field:
        if self.c is None:
            return torch.zeros_like(self.a)
        mean, rest = mass(w, self.domain)
        reacts = self.c > 0
        missing = (q[-1] / self.volume - self.c * mean).square() / torch.where(reacts, self.c, 1.0)
        return self.volume * (torch.where(reacts, missing, 0.0) + torch.where(self._stiff, self.c * rest, 0.0))

    @cached_property
    def _stiff(self) -> Bool[Tensor, "b 1 *grid"]:
        """Where 1 / sqrt(c) is less: cells so long that the reaction outweighs diffusion across them."""
        if self.c is None:
            return torch.zeros_like(self.a, dtype=torch.bool)
        return self.c.sqrt() * self._poincare > 1


class Continuum(Multilinear):
    """-div(a grad u) + c u = f with a scalar a."""

    def _gradient_misfit(self, q: Flow, w: Function) -> Field:
        return flux_misfit(q[: self.domain.dimension], w, self.a, self.domain)

    @property
    def _poincare(self) -> Field:
        return max(Grid(self.domain, tuple(self.a.shape[2:])).spacing) / math.pi / self.a.sqrt()
