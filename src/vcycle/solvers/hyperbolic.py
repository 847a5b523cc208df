"""Hyperbolic systems q_t + div F(q) = 0, as a finite-volume scheme sees them."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor

State = Float[Tensor, "b c *grid"]


class HyperbolicSystem(ABC):
    """Conserved variables q, primitive ones w and the flux between two states; channels 1, ..., d are the velocity.

    Walls mirror the velocity across them and leave all other variables as they are.
    """

    @abstractmethod
    def conserved(self, w: State) -> State:
        """q of w."""

    @abstractmethod
    def primitive(self, q: State) -> State:
        """w of q."""

    @abstractmethod
    def signal_speed(self, w: State) -> Float[Tensor, "b *grid"]:
        """The speed of waves relative to the flow."""

    @abstractmethod
    def admissible(self, w: State) -> Bool[Tensor, " b"]:
        """Whether what has to be positive is, in every cell of a sample."""

    @abstractmethod
    def interface(self, left: State, right: State, axis: int) -> tuple[State, State]:
        """The flux along an axis that the cells to the left and to the right of a face see, of w on its two sides.

        The two are one but for forces that act at the face itself.
        """

    def inner(self, low: State, high: State, axis: int) -> State | None:
        """What acts inside a cell along an axis, of w at its low and high end: -h times its share of q_t."""
        del low, high, axis

    def slopes_of(self, w: State) -> State:
        """The variables that are given slopes."""
        return w

    def from_slopes_of(self, r: State) -> State:
        """w of these."""
        return r


def rusanov(f_left: State, f_right: State, jump: State, speed: Float[Tensor, "b *grid"]) -> State:
    """(F_l + F_r) / 2 - s (q_r - q_l) / 2 with s the fastest speed: the most diffusive flux, and the most robust."""
    return (f_left + f_right - speed[:, None] * jump) / 2


def extreme_speeds(
    u: tuple[Tensor, Tensor], c: tuple[Tensor, Tensor]
) -> tuple[Float[Tensor, "b *grid"], Float[Tensor, "b *grid"]]:
    """Davis's estimates of the slowest and the fastest wave between two states with velocities u and wave speeds c."""
    slow = torch.minimum(u[0] - c[0], u[1] - c[1])
    return slow, torch.maximum(u[0] + c[0], u[1] + c[1])
