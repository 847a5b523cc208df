"""SFNO: neurons whose weights are multipliers of Fourier modes in space and time."""

import copy
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_counts, check_field
from vcycle.networks.coordinates import Coordinates, append_coordinates
from vcycle.networks.fourier_block import BlockOptions, FourierBlock
from vcycle.networks.increment import Increment
from vcycle.operators import Pointwise, count_parameters
from vcycle.spaces import Domain, Space


class SFNO(nn.Module):
    """v_0 = P(a_1, ..., a_p, x, t, e(t)),   v_{l+1} = sigma(M sigma(K_l v_l + B v_l) + G v_l),   w = a_p + K v + B v.

    The channels of the input are p snapshots a_1, ..., a_p of `fields` functions, those of the output the snapshots
    w(t_1), ..., w(t_q) at t_j = j / q in the window (0, 1] that follows; snapshot by snapshot, all fields of one
    together. Inside, time is one more axis: all v_l are functions of x and t, and K_l multiplies the lowest modes of
    both by complex matrices. The last layer is linear and adds the last snapshot (networks.Increment).

    fields             functions per snapshot
    width, depth       channels and number of blocks
    modes              Fourier modes of both signs per axis of space: one number, or one per axis; 12 keeps |k| <= 6
    time_modes         Fourier modes of both signs in time: 5 keeps -2, ..., 2 of the padded window
    time_padding       zeros after the window, as a fraction of it, so that its end is not followed by its beginning
    time_features      pairs e(t) = exp(-t) (cos, sin)(pi k t), k = 1, 2, ..., beside t itself
    output_modes       modes of the last K, in time and per axis of space; those of the blocks unless given
    activation         sigma, by name
    coordinates        'cells' (centres), 'corners' (k / n) or 'ends' (k / (n - 1)) of the unit box, or None
    residual           a_p + in the last layer

    No parameter depends on the number of snapshots asked for: `with_steps` gives the same functions of t at other
    instants. With zero weights in the last layer every w(t_j) is a_p. One snapshot in and one out is an ordinary FNO.
    Source: P105.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        fields: int = 1,
        width: int = 16,
        depth: int = 3,
        modes: int | Sequence[int] = 12,
        time_modes: int = 5,
        time_padding: float = 0.25,
        time_features: int = 2,
        output_modes: Sequence[int] | None = None,
        activation: str = "gelu",
        coordinates: Coordinates | None = "cells",
        residual: bool = True,
        domain: Domain | None = None,
    ):
        super().__init__()
        check_counts("SFNO", in_channels=in_channels, out_channels=out_channels, fields=fields, depth=depth)
        check_counts("SFNO", least=0, time_features=time_features)
        self.domain = Domain.unit(2) if domain is None else domain
        d = self.domain.dimension
        if d == 3:
            raise ValueError(f"SFNO adds time to the axes of space, three in all, so {self.domain} has one too many")
        if in_channels % fields or out_channels % fields:
            raise ValueError(
                f"{in_channels} input and {out_channels} output channels are not whole snapshots of {fields} fields: "
                "give multiples of `fields`"
            )
        self.in_channels, self.fields, self.width = in_channels, fields, width
        self.coordinates, self.time_padding, self.time_features = coordinates, time_padding, time_features
        self.modes = (time_modes, *((modes,) * d if isinstance(modes, int) else modes))
        if len(self.modes) != d + 1:
            raise ValueError(f"got modes={modes} for {d} axes of space: give one number for all, or one per axis")
        evolving = Domain((1.0, *self.domain.extents), ("neumann", *self.domain.boundary))
        space, steps = Space(evolving, width), out_channels // fields
        lifted = in_channels + (0 if coordinates is None else d) + 1 + 2 * time_features
        self.lift = Pointwise(Space(evolving, lifted), space, bias=True)
        options = BlockOptions(modes=self.modes, activation=activation)
        self.blocks = nn.Sequential(*(FourierBlock(space, options, last=False) for _ in range(depth)))
        output_modes = self.modes if output_modes is None else tuple(output_modes)
        self.head = Increment(space, Space(evolving, fields), output_modes, steps, residual=residual)

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("SFNO", x, self.in_channels, self.domain)
        w = self.head(self._before_head(x))
        return w.transpose(1, 2).flatten(1, 2)

    def _before_head(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b c t *grid"]:
        """v and a_p on the padded window."""
        steps = self.head.steps
        padding = round(self.time_padding * steps)
        grid = tuple(x.shape[2:])
        still = append_coordinates(x, self.coordinates)[:, :, None].expand(-1, -1, steps, *grid)
        moving = self._time_channels(steps).to(x).view(1, -1, steps, *[1] * len(grid))
        v = self.lift(torch.cat([still, moving.expand(x.shape[0], -1, -1, *grid)], 1))
        v = self.blocks(nn.functional.pad(v, (*(0, 0) * len(grid), 0, padding)))
        last = x[:, self.in_channels - self.fields :, None]
        return torch.cat([v, last.expand(-1, -1, steps + padding, *grid)], 1)

    def with_steps(self, steps: int) -> "SFNO":
        """The same network, sharing its parameters, for `steps` snapshots of the same window."""
        head = copy.copy(self.head)
        head.steps = steps
        return self._with_head(head)

    def with_output_modes(self, modes: Sequence[int]) -> "SFNO":
        """The same network, whose last K has further modes of zero weight; the other layers are shared.

        As many modes as points, along every axis of space and of the padded window, leave nothing truncated.
        """
        return self._with_head(self.head.with_modes(modes))

    def _with_head(self, head: Increment) -> "SFNO":
        network = copy.copy(self)
        network._modules = {**self._modules, "head": head}
        return network

    def _time_channels(self, steps: int) -> Float[Tensor, "c t"]:
        t = torch.arange(1, steps + 1, dtype=torch.float64) / steps
        phase = math.pi * torch.arange(1, self.time_features + 1, dtype=torch.float64)[:, None] * t
        return torch.cat([t[None], (-t).exp() * phase.cos(), (-t).exp() * phase.sin()])

    def extra_repr(self) -> str:
        return f"modes={self.modes}, width={self.width}, {count_parameters(self)} parameters"
