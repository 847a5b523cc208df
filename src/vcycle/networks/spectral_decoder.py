"""From the channels of a transformer to its output: spectral neurons, then a perceptron on the channels."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.neuron import Neurons
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.operators import Fourier, Pointwise, Spectral
from vcycle.spaces import Space

BasisName = Literal["domain", "fourier"]


class SpectralDecoder(nn.Module):
    """u = Q w_L,   w_l = sigma(K_l w_{l-1} + B_l w_{l-1} + b_l),   w_0 = R v + r.

    R and B_l are matrices on the channels, Q is a perceptron on the channels with `hidden` inside, and K_l keeps the
    `modes` lowest modes of the sines and cosines that fit the boundary conditions (basis='domain': Spectral, or Fourier
    on a box that is periodic along every axis), or of 'fourier' (both signs: Fourier). `spaces` are those of w_0, ...,
    w_L. Source: P238.
    """

    def __init__(
        self,
        source: Space,
        spaces: Sequence[Space],
        hidden: Space,
        target: Space,
        modes: Sequence[int],
        *,
        basis: BasisName = "domain",
        activation: str = "gelu",
    ):
        super().__init__()
        if basis not in ("domain", "fourier"):
            raise ValueError(f"unknown basis {basis!r}: expected 'domain' for the modes of the domain, or 'fourier'")
        spectral = Fourier if basis == "fourier" or source.domain.torus else Spectral
        self.reduce: nn.Module = Pointwise(source, spaces[0], bias=True)
        self.neurons = nn.Sequential(
            *(
                Neurons(spectral(w, u, modes), Pointwise(w, u, bias=True), activation_named(activation, u))
                for w, u in pairwise(spaces)
            )
        )
        self.project = ChannelPerceptron(spaces[-1], hidden, target, activation_named(activation, hidden))

    def forward(self, v: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b o *grid"]:
        return self.project(self.neurons(self.reduce(v)))
