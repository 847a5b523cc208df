"""Preconditioners that are learned without labels: what they are, what they minimise, how they are fitted."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.solvers.products import dot, norm

Field = Float[Tensor, "b 1 *grid"]
Map = Callable[[Tensor], Tensor]


class LearnedPreconditioner(nn.Module, ABC):
    """For every A a map r -> z, close to a multiple of A^-1 r.

    own_steps   training errors have 0 to so many steps along the map's own directions behind them, in turn
    """

    own_steps: ClassVar[int] = 0

    @abstractmethod
    def at(self, A: FiniteVolume) -> Map:
        """The map for this A; whatever does not depend on r is computed here, once. Differentiable."""

    @abstractmethod
    def loss(self, A: FiniteVolume, e: Field) -> Float[Tensor, ""]:
        """What training lowers, for errors e of approximate solutions; no solution is needed."""


def energy_left(A: FiniteVolume, e: Field, z: Field) -> Float[Tensor, " b"]:
    """min over c of ||e - c z||_A^2 / ||e||_A^2, the share of the energy left by an exact line search along z."""
    ae = A(e)
    return (1 - dot(ae, z).square() / (dot(z, A(z)) * dot(ae, e))).flatten()


def residual_left(A: FiniteVolume, r: Field, z: Field) -> Float[Tensor, " b"]:
    """||r - c A z||^2 / ||r||^2 with c = (z, r) / (z, A z), that of the line search: 0 exactly if z is along A^-1 r.

    Blind to the scale of z. Source: P118, section 2.
    """
    az = A(z)
    c = dot(z, r) / dot(z, az)
    rest = r - c * az
    return (dot(rest, rest) / dot(r, r)).flatten()


def fit(
    preconditioner: LearnedPreconditioner, draw: Callable[[int], FiniteVolume], *, steps: int = 100, rate: float = 1e-2
) -> list[float]:
    """Lower the loss by Adam over the systems draw(0), draw(1), ...; the losses, one per step.

    The errors are V-cycles of white noise, nearly A^-1 times noise, after up to `own_steps` steps along the map's own
    directions: what the map has not removed is what it has to learn. The learning rate falls to zero like a cosine.
    """
    optimizer = torch.optim.Adam(preconditioner.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    losses = []
    for step in range(steps):
        A = draw(step)
        e = errors(preconditioner, A, step % (preconditioner.own_steps + 1))
        loss = preconditioner.loss(A, e)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(preconditioner.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return losses


@torch.no_grad()
def errors(preconditioner: LearnedPreconditioner, A: FiniteVolume, own_steps: int) -> Field:
    """A V-cycle of white noise, after so many steps along the map's directions."""
    e = geometric_multigrid(A)(torch.randn_like(A.diagonal))
    f = preconditioner.at(A)
    for _ in range(own_steps):
        r = A(e)
        z = f(r / norm(r)).to(e.dtype)
        c = dot(r, z) / dot(z, A(z))
        e = e - c * z
    return e
