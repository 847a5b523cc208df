"""Oscillations h_tt = A h whose modes are independent: exact for any time."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers.fourier_grid import like
from vcycle.solvers.modal_grid import ModalGrid

Field = Float[Tensor, "b c *grid"]


@torch.no_grad()
def oscillate(
    grid: ModalGrid, symbol: Float[Tensor, "..."], initial: Field, interval: float, snapshots: int
) -> Float[Tensor, "b s *grid"]:
    """The states (h, v) after `interval`, 2 `interval`, ..., one after the other in the channels; v = h_t.

    symbol   A(k) <= 0. With omega^2 = -A(k),  h(t) = cos(omega t) h + t sinc(omega t) v,
             v(t) = -omega sin(omega t) h + cos(omega t) v; where omega = 0, h moves evenly.
    """
    h, v = grid.transform(initial.double()).unbind(1)
    omega, states = like((-symbol).sqrt(), h), []
    for i in range(1, snapshots + 1):
        t = i * interval
        cosine, sine = (omega * t).cos(), (omega * t).sin()
        slope = t * torch.sinc(omega * t / torch.pi)
        states.append(grid.inverse(torch.stack([cosine * h + slope * v, cosine * v - omega * sine * h], 1)))
    return torch.cat(states, 1)
