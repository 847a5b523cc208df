"""The block of FNO: a Fourier neuron, then a perceptron on the channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.neuron import Neurons
from vcycle.networks.norms import NormName, normalisation
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.operators import Factorization, Fourier, Pointwise, Spectral, Stencil
from vcycle.spaces import Condition, Space

SkipName = Literal["linear", "identity", "gating"]
BasisName = Literal["fourier", "domain", "cosine", "sine"]
FORCED: dict[str, Condition] = {"cosine": "neumann", "sine": "dirichlet"}


@dataclass(frozen=True)
class BlockOptions:
    """What the blocks of one FNO have in common; FNO explains every field."""

    modes: tuple[int, ...]
    activation: str = "gelu"
    basis: BasisName = "fourier"
    skip: SkipName | None = "linear"
    skip_kernel: int = 1
    mlp_skip: SkipName | None = "gating"
    mlp_expansion: float | None = 0.5
    norm: NormName | None = None
    norm_groups: int = 1
    preactivation: bool = False
    stabilizer: bool = False
    separable: bool = False
    factorization: Factorization | None = None
    rank: int | float | Sequence[int] = 0.1
    dropout: float = 0.0


class FourierBlock(nn.Module):
    """v -> sigma(N(M w + G v)) with w = sigma(N(K v) + B v); no sigma in the last block.

    With preactivation v -> M w + G v' with w = N(sigma(K v' + B v')) and v' = N(sigma(v)); the last block keeps the
    first sigma. K is a spectral operator, Fourier with a bias; B and G are skips, M is a perceptron with an inner gelu.
    """

    def __init__(self, space: Space, options: BlockOptions, last: bool):
        super().__init__()
        sigma = nn.Identity() if last else activation_named(options.activation, space)
        norms = [normalisation(options.norm, space, options.norm_groups) for _ in range(2)]
        K = _kernel(space, options)
        self.start: nn.Module | None = None
        self.end: nn.Module
        if options.preactivation:
            self.start = _chain(activation_named(options.activation, space), norms[0])
            self.neurons = Neurons(K, _skip(options.skip, space, options.skip_kernel), sigma)
            self.middle: nn.Module = norms[1] or nn.Identity()
            self.end = nn.Identity()
        else:
            self.neurons = Neurons(K, _skip(options.skip, space, options.skip_kernel), sigma, norm=norms[0])
            self.middle = nn.Identity()
            self.end = _chain(norms[1], sigma)
        self.mlp: nn.Module | None = None
        self.gate: nn.Module | None = None
        if options.mlp_expansion is not None:
            hidden = Space(space.domain, round(options.mlp_expansion * space.channels))
            self.mlp = ChannelPerceptron(space, hidden, space, nn.GELU(), dropout=options.dropout)
            self.gate = _skip(options.mlp_skip, space)

    def forward(self, v: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *target"]:
        if self.start is not None:
            v = self.start(v)
        w = self.middle(self.neurons(v))
        if self.mlp is not None:
            w = self.mlp(w) if self.gate is None else self.mlp(w) + self.gate(v)
        return self.end(w)


class Gating(nn.Module):
    """u_c -> g_c u_c: a factor per channel."""

    def __init__(self, space: Space):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(space.channels, *(1,) * space.domain.dimension))

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        return self.weight * u


def _kernel(space: Space, options: BlockOptions) -> nn.Module:
    weight = {"separable": options.separable, "factorization": options.factorization, "rank": options.rank}
    if options.basis == "fourier" or (options.basis == "domain" and space.domain.torus):
        K: nn.Module = Fourier(space, space, options.modes, bias=True, **weight)
    elif options.basis == "domain" or options.basis in FORCED:
        K = Spectral(space, space, options.modes, boundary=FORCED.get(options.basis), **weight)
    else:
        raise ValueError(f"unknown basis {options.basis!r}: expected 'fourier', 'domain', 'cosine' or 'sine'")
    return nn.Sequential(nn.Tanh(), K) if options.stabilizer else K


def _skip(name: SkipName | None, space: Space, kernel: int = 1) -> nn.Module | None:
    if kernel != 1 and (name != "linear" or kernel % 2 == 0):
        raise ValueError(f"got skip_kernel={kernel} with skip={name!r}: a wide skip is linear and has an odd kernel")
    if name == "linear":
        return Pointwise(space, space) if kernel == 1 else Stencil(space, space, kernel)
    if name == "gating":
        return Gating(space)
    if name == "identity":
        return nn.Identity()
    if name is None:
        return None
    raise ValueError(f"unknown skip {name!r}: expected 'linear', 'identity', 'gating' or None")


def _chain(first: nn.Module | None, second: nn.Module | None) -> nn.Module:
    return nn.Sequential(*(module for module in (first, second) if module is not None))
