"""The block of a transformer: attention, then a perceptron on the channels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.attention import Attention, HeadNormName, Kind, galerkin
from vcycle.networks.norms import ChannelNorm
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.spaces import Space

NormPlacement = Literal["none", "pre", "post", "peri"]


@dataclass(frozen=True)
class BlockOptions:
    """What the blocks of one transformer have in common; Transformer and Attention explain every field."""

    heads: int
    attention: Kind = galerkin
    coordinates: int = 0
    head_norm: HeadNormName | None = "layer"
    norm_placement: NormPlacement = "none"
    mlp_expansion: float = 2.0
    activation: str = "gelu"
    dropout: float = 0.0
    gain: float = 1e-2
    diagonal: float = 1e-2


class Residual(nn.Module):
    """u -> u + f(u) for a given f, with a LayerNorm N of the channels at every point in one of four places:

    'none' u + f(u),   'pre' u + f(N u),   'post' N(u + f(u)),   'peri' u + N'(f(N u)).

    With 'peri' the added N'(f(N u)) is at most max |g| + |c| at every point, as root mean squares of the channels and
    whatever f is: u grows no faster than the number of steps. The factors g and shifts c of N' start at 1/8 and 0, so
    that a deep stack starts near the identity; P133 starts at 1 and 0. Source: P133.
    """

    def __init__(self, space: Space, placement: NormPlacement, dropout: float = 0.0):
        super().__init__()
        if placement not in get_args(NormPlacement):
            raise ValueError(
                f"unknown norm_placement {placement!r}: expected one of {', '.join(get_args(NormPlacement))}"
            )
        self.before = ChannelNorm(space) if placement in ("pre", "peri") else nn.Identity()
        self.inside = nn.Identity()
        if placement == "peri":
            self.inside = ChannelNorm(space)
            nn.init.constant_(self.inside.weight, 0.125)
        self.after = ChannelNorm(space) if placement == "post" else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, u: Float[Tensor, "b c *grid"], f: Callable[[Tensor], Tensor]) -> Float[Tensor, "b c *grid"]:
        return self.after(u + self.dropout(self.inside(f(self.before(u)))))


class TransformerBlock(nn.Module):
    """u -> w = u + A(u),   w -> w + M(w): attention, then a perceptron on the channels at every point.

    Each is a Residual, so that `norm_placement` may put norms around A and M. Source: P238; P133 for 'peri'.
    """

    def __init__(self, space: Space, options: BlockOptions):
        super().__init__()
        self.attention: nn.Module = Attention(
            space,
            options.heads,
            options.attention,
            coordinates=options.coordinates,
            head_norm=options.head_norm,
            dropout=options.dropout,
            gain=options.gain,
            diagonal=options.diagonal,
        )
        hidden = Space(space.domain, round(options.mlp_expansion * space.channels))
        self.mlp = ChannelPerceptron(space, hidden, space, activation_named(options.activation, hidden))
        self.residuals = nn.ModuleList(Residual(space, options.norm_placement, options.dropout) for _ in range(2))

    def forward(
        self, u: Float[Tensor, "b c *tokens"], x: Float[Tensor, "b p *tokens"] | None = None
    ) -> Float[Tensor, "b c *tokens"]:
        first, second = self.residuals
        return second(first(u, lambda v: self.attention(v, v, v, x)), self.mlp)
