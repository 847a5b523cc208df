"""The blocks of convolutional networks: two layers of stencils, and a shortcut around them."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.neuron import Neurons
from vcycle.networks.norms import NormName, normalisation
from vcycle.operators import Pointwise, Stencil
from vcycle.spaces import Ghost, Space


@dataclass(frozen=True)
class LayerOptions:
    """What the layers of one convolutional network have in common: sigma, N, and what stencils see beyond a face."""

    activation: str = "gelu"
    norm: NormName | None = "group"
    ghost: Ghost | None = None

    def layer(self, source: Space, target: Space) -> Neurons:
        """u -> sigma(N(K u)), K a stencil of three points per axis with a bias."""
        K = Stencil(source, target, ghost=self.ghost, bias=True)
        sigma = activation_named(self.activation, target)
        return Neurons(K, None, sigma, norm=normalisation(self.norm, target))


class ConvolutionBlock(nn.Module):
    """v, w -> L_2 L_1 v + S w: each L(v) = sigma(N(K v)) a stencil neuron, S a linear map, or None for no shortcut.

    The shortcut starts from a field w of its own: the layers of a U-Net see further channels beside it.
    """

    def __init__(self, source: Space, target: Space, options: LayerOptions, S: nn.Module | None):
        super().__init__()
        self.layers = nn.Sequential(options.layer(source, target), options.layer(target, target))
        self.S: nn.Module | None = S

    def forward(self, v: Float[Tensor, "b i *grid"], w: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        out = self.layers(v)
        return out if self.S is None else out + self.S(w)


class BlockChain(nn.Module):
    """v, w -> B_m ... B_2 B_1(v, w): the shortcut of the first block is a matrix with bias, of the others the identity.

    With shortcut False there is none around any of them.
    """

    def __init__(self, source: Space, beside: Space, target: Space, blocks: int, options: LayerOptions, shortcut: bool):
        super().__init__()
        first = Pointwise(beside, target, bias=True) if shortcut else None
        self.blocks = nn.ModuleList([ConvolutionBlock(source, target, options, first)])
        for _ in range(blocks - 1):
            self.blocks.append(ConvolutionBlock(target, target, options, nn.Identity() if shortcut else None))

    def forward(self, v: Float[Tensor, "b i *grid"], w: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        for block in self.blocks:
            v = w = block(v, w)
        return v
