"""The last layer of a network in space and time: a linear map added to the last known state."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators import Fourier, Pointwise
from vcycle.spaces import Space

FIRST_INCREMENT = 0.1


class Increment(nn.Module):
    """w = a + K v + B v at the first `steps` instants: K multiplies Fourier modes in time and space, B is a matrix.

    Its input holds the channels of v, then those of a. It is affine in v and a, and in its parameters. K and B start a
    tenth as large as elsewhere, so that the first prediction is nearly a; without `residual` a is left out.
    """

    def __init__(self, source: Space, target: Space, modes: Sequence[int], steps: int, *, residual: bool = True):
        super().__init__()
        self.steps, self.residual = steps, residual
        self.K, self.B = Fourier(source, target, modes, bias=True), Pointwise(source, target)
        with torch.no_grad():
            for p in self.parameters():
                p *= FIRST_INCREMENT

    def forward(self, z: Float[Tensor, "b i t *grid"]) -> Float[Tensor, "b o s *grid"]:
        v, a = z.split([self.K.source.channels, self.K.target.channels], 1)
        w = (self.K(v) + self.B(v))[:, :, : self.steps]
        return a[:, :, : self.steps] + w if self.residual else w

    def with_modes(self, modes: Sequence[int]) -> "Increment":
        """The same map with its own K, whose further modes have zero weights.

        Raises ValueError for fewer modes than it has along some axis.
        """
        if len(modes) != len(self.K.modes) or any(m < n for m, n in zip(modes, self.K.modes, strict=True)):
            raise ValueError(f"got modes {tuple(modes)}: give {len(self.K.modes)} numbers, none below {self.K.modes}")
        wide = Increment(self.K.source, self.K.target, modes, self.steps, residual=self.residual)
        state = self.state_dict()
        weight = state["K.weight"]
        state["K.weight"] = nn.functional.pad(weight, _margins(self.K.modes, modes))
        wide.to(device=weight.device, dtype=weight.dtype).load_state_dict(state)
        return wide


def _margins(narrow: Sequence[int], wide: Sequence[int]) -> list[int]:
    """Zeros before and after every axis of K's weight, the last axis first: frequencies are central, or lead."""
    *others, last = zip(narrow, wide, strict=True)
    margins = [0, 0, 0, last[1] // 2 - last[0] // 2]
    for n, m in reversed(others):
        before = m // 2 - n // 2
        margins += [before, m - n - before]
    return margins
