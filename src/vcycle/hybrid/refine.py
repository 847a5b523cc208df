"""Refinement: some parameters of a network are fitted to the equation, for every sample anew and without labels."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.spaces import Norm

Trajectory = Float[Tensor, "b _ *grid"]
PerSample = Float[Tensor, " b"]


@dataclass(frozen=True)
class ResidualNorm:
    """J(v, a) = (h sum_j ||r(t_j)||^2)^(1/2), r = R(a, v) the residual of the trajectory a followed by v.

    residual   R, snapshots (b, t, *grid) to residuals of the same shape: of the trajectory itself, with differences in
               time (problems.vorticity.residual). A step of a solver from the predicted snapshots instead of these
               differences would vanish for any v
    norm       of a snapshot of the residual: spaces.HMinus1 weighs it like the energy error, L2 fine scales more
    step       h, the time between snapshots

    The sum is over the predicted snapshots v; the known ones a take part in the differences, which ties v to them.
    """

    residual: Callable[[Trajectory], Trajectory]
    norm: Norm
    step: float

    def __call__(self, v: Float[Tensor, "b t *grid"], a: Float[Tensor, "b p *grid"]) -> PerSample:
        r = self.residual(torch.cat([a, v], 1))[:, a.shape[1] :]
        return self.step**0.5 * self.norm(r)


@dataclass(frozen=True)
class Refined:
    """Predictions with a lower functional.

    value     (b, t, *grid) for every sample the best of all steps
    history   (steps + 1, b) the functional before every step, and at the end
    """

    value: Trajectory
    history: Float[Tensor, "s b"]


@torch.enable_grad()
def refine(
    network: nn.Module,
    inputs: Trajectory,
    functional: Callable[[Trajectory, Trajectory], PerSample],
    parameters: str | Sequence[str],
    *,
    steps: int = 100,
    rate: float = 1e-2,
) -> Refined:
    """Lower functional(network(a), a) for every sample a of the inputs by itself.

    Only copies of the `parameters`, given by the beginning of their names, move, by `steps` steps of Adam on the square
    of the functional with a learning rate that falls from `rate` to zero like a cosine. (Adam moves small and large
    modes alike, quasi-Newton steps the large ones first.) The network stays as it is, and the best step is returned,
    so that no functional rises.

    Raises ValueError if no parameter has such a name.
    """
    beginnings = (parameters,) if isinstance(parameters, str) else tuple(parameters)
    names = [name for name, _ in network.named_parameters()]
    chosen = tuple(name for name in names if name.startswith(beginnings))
    if not chosen:
        raise ValueError(f"no parameter begins with any of {list(beginnings)}: choose from {', '.join(names)}")
    refined = [_refine_one(network, a[None], functional, chosen, steps, rate) for a in inputs]
    return Refined(torch.cat([one.value for one in refined]), torch.cat([one.history for one in refined], 1))


def _refine_one(
    network: nn.Module,
    a: Trajectory,
    functional: Callable[[Trajectory, Trajectory], PerSample],
    chosen: tuple[str, ...],
    steps: int,
    rate: float,
) -> Refined:
    network = copy.deepcopy(network).eval()
    for name, p in network.named_parameters():
        p.requires_grad_(name in chosen)
    moving = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(moving, lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    best, lowest, history = a, math.inf, []
    for step in range(steps + 1):
        v = network(a)
        J = functional(v, a)
        history.append(J.detach())
        if step == 0 or float(J.detach()) < lowest:
            best, lowest = v.detach(), float(J.detach())
        if step < steps:
            optimizer.zero_grad()
            J.square().sum().backward()
            optimizer.step()
            schedule.step()
    return Refined(best, torch.stack(history))
