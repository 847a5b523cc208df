"""What a duality gap must know of a convex energy: E(u) = sum of |cell| (mean of a l(|grad u|^2) + c V(u) - f u)."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain

Field = Float[Tensor, "b 1 *grid"]
PerSample = Float[Tensor, " b"]
Values = Float[Tensor, "..."]


@runtime_checkable
class Integrand(Protocol):
    """l of s = |p|^2, p -> l(|p|^2) strictly convex, and V, convex.

    D and D + 2 s D', the curvatures of p -> l(|p|^2), are monotone in s; on every interval D' and V'' are largest at an
    end. Powers (epsilon^2 + s)^(p/2), areas (1 + s)^(1/2) and even powers of u are such.
    """

    def density(self, s: Values) -> Values:
        """l(s)."""

    def diffusivity(self, s: Values) -> Values:
        """D(s) = 2 l'(s)."""

    def diffusivity_slope(self, s: Values) -> Values:
        """D'(s)."""

    def potential(self, u: Values) -> Values:
        """V(u)."""

    def reaction(self, u: Values) -> Values:
        """V'(u)."""

    def reaction_slope(self, u: Values) -> Values:
        """V''(u)."""


@runtime_checkable
class Energy(Protocol):
    """E of cell values u, on the finite elements with nodes at cell centres (operators.elements).

    a > 0, c >= 0 and f are (b, 1, *grid); slopes, fluxes and moduli belong to the subcells.
    """

    @property
    def integrand(self) -> Integrand: ...
    @property
    def domain(self) -> Domain: ...
    @property
    def a(self) -> Field: ...
    @property
    def c(self) -> Field: ...
    @property
    def f(self) -> Field: ...
    @property
    def cell(self) -> float:
        """The volume of a cell."""
        ...

    def value(self, u: Field) -> PerSample:
        """E(u)."""
        ...

    def gradient(self, u: Field) -> Field:
        """E'(u)."""
        ...

    def slopes(self, u: Field) -> Values:
        """grad u, boundary values included, (b, 1, d, 2^d, *grid)."""
        ...

    def flux(self, p: Values) -> Values:
        """a D(|p|^2) p."""
        ...

    def tangent(self, u: Field) -> tuple[Values, Field]:
        """Moduli (b, 1, d, d, 2^d, *grid) and reaction near E''(u), positive."""
        ...

    def step(self, u: Field, gradient: Field, accuracy: float) -> Field:
        """s with (C grad s, grad w) + (r s, w) = -gradient(w) for the tangent (C, r) at u, to this accuracy."""
        ...

    def start(self) -> Field:
        """Cell values that are not far from the minimum."""
        ...
