"""neuraloperator's FNO for complex data, as a network of real and imaginary parts."""

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_field
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.fno import FNO, apply_padded
from vcycle.networks.fourier_block import FourierBlock
from vcycle.operators import Factorization
from vcycle.operators.fourier import analyse, synthesise
from vcycle.operators.multiplier import multiplied_channels, multiplier, multiply
from vcycle.spaces import Space


class ComplexFNO(nn.Module):
    """The FNO of complex fields, which have twice the channels here: first all real, then all imaginary parts.

    Made of a real FNO: the kernels are new ones, and every other affine part M becomes the pair M, M' that maps
    re + i im to M(re) - M'(im) + i (M(im) + M'(re)).
    """

    def __init__(self, network: FNO, kernel: Callable[[], nn.Module]):
        super().__init__()
        self.domain, self.in_channels = network.domain, 2 * network.in_channels
        self.coordinates, self.padding = network.coordinates, network.padding
        self.lift = ComplexValued(network.lift)
        self.blocks = nn.Sequential(*(_complex_block(cast(FourierBlock, block), kernel()) for block in network.blocks))
        self.project = ComplexValued(network.project)

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("FNO", x, self.in_channels, self.domain)
        real, imaginary = x.chunk(2, 1)
        with_coordinates = append_coordinates(real, self.coordinates)
        nothing = torch.zeros_like(with_coordinates[:, real.shape[1] :])
        v = self.lift(torch.cat([with_coordinates, imaginary, nothing], 1))
        return self.project(apply_padded(self.blocks, v, self.padding))


class ComplexValued(nn.Module):
    """re + i im to fr(re) - fi(im) + i (fr(im) + fi(re))."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.fr: nn.Module = module
        self.fi: nn.Module = deepcopy(module)

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        real, imaginary = u.chunk(2, 1)
        return torch.cat([self.fr(real) - self.fi(imaginary), self.fr(imaginary) + self.fi(real)], 1)


class ComplexFourier(nn.Module):
    """W u = sum_k exp(i q(k) x) R_k (F u)_k + b for complex fields, b real.

    counts   the kept modes, at most as many as R is `stored` for: the lowest of both signs, but on the last axis
             k = 0, 1, ... in 1-D, and else k = -n/2, -n/2 + 1, ... with q = 0, 1, ..., as the release orders them
    """

    def __init__(
        self,
        space: Space,
        target: Space,
        counts: Sequence[int],
        stored: Sequence[int],
        *,
        bias: bool,
        separable: bool,
        factorization: Factorization | None,
        rank: int | float | Sequence[int],
    ):
        super().__init__()
        self.counts, self.stored, self.separable = tuple(counts), tuple(stored), separable
        channels = multiplied_channels(space, target, self.stored, separable)
        deviation = math.sqrt(2 / (space.channels + target.channels))
        self.weight = multiplier(channels, self.stored, deviation, pairs=True, factorization=factorization, rank=rank)
        self.bias = nn.Parameter(deviation * torch.randn(target.channels)) if bias else None

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        shape = tuple(u.shape[2:])
        counts = [min(count, n) for count, n in zip(self.counts, shape, strict=True)]
        others = [range(-(count // 2), count - count // 2) for count in counts[:-1]]
        first = 0 if len(shape) == 1 else -(shape[-1] // 2)
        k, q = [*others, range(first, first + counts[-1])], [*others, range(counts[-1])]
        real, imaginary = (analyse(part, k) for part in u.chunk(2, 1))
        starts = [(m - count) // 2 for m, count in zip(self.stored, counts, strict=True)]
        kept = tuple(slice(start, start + count) for start, count in zip(starts, counts, strict=True))
        v = multiply(self.weight, real + _times_i(imaginary), kept, pairs=True, separable=self.separable)
        real, imaginary = (synthesise(part, q, shape, half=False) for part in (v, -_times_i(v)))
        if self.bias is not None:
            real = real + self.bias.view(-1, *(1,) * len(shape))
        return torch.cat([real, imaginary], 1)


def _complex_block(block: FourierBlock, kernel: nn.Module) -> FourierBlock:
    neurons = block.neurons
    neurons.W = nn.Sequential(nn.Tanh(), kernel) if isinstance(neurons.W, nn.Sequential) else kernel
    neurons.B = _complex(neurons.B)
    neurons.norm = _complex(neurons.norm)
    block.mlp, block.gate = _complex(block.mlp), _complex(block.gate)
    if not isinstance(block.middle, nn.Identity):
        block.middle = ComplexValued(block.middle)
    for chain, norm in ((block.start, 1), (block.end, 0)):
        if isinstance(chain, nn.Sequential) and len(chain) == 2:
            chain[norm] = ComplexValued(chain[norm])
    return block


def _complex(module: nn.Module | None) -> nn.Module | None:
    return None if module is None else ComplexValued(module)


def _times_i(v: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """i v, the last axis holding real and imaginary part."""
    return torch.stack([-v[..., 1], v[..., 0]], -1)
