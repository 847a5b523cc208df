"""Attention: the points of a grid, as tokens, exchange what they carry."""

import math
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import did_you_mean
from vcycle.operators import Pointwise
from vcycle.spaces import Space

AttentionName = Literal["galerkin", "fourier", "softmax", "linear"]
HeadNormName = Literal["layer", "instance"]
Heads = Float[Tensor, "b h _ _"]  # (batch, head, feature, token)
Kind = Callable[[Heads, Heads, Heads, nn.Module], Heads]


def galerkin(q: Heads, k: Heads, v: Heads, dropout: nn.Module) -> Heads:
    """z_l(x) = sum_j <k_j, v_l> q_j(x): v_l tested with every k_j, in terms of the q_j. Linear cost in the tokens."""
    return dropout(v @ k.mT / k.shape[-1]) @ q


def fourier(q: Heads, k: Heads, v: Heads, dropout: nn.Module) -> Heads:
    """z_l(x) = <kappa(x, .), v_l> with kappa(x, y) = q(x) k(y) / sqrt(e), an integral operator with a kernel of rank e.

    Without dropout of kappa it is evaluated as sum_j <k_j, v_l> q_j / sqrt(e): the same numbers at linear cost.
    """
    scaled = q / math.sqrt(k.shape[-2])
    if isinstance(dropout, nn.Identity):
        return galerkin(scaled, k, v, dropout)
    return v @ dropout(k.mT @ scaled / k.shape[-1])


def softmax(q: Heads, k: Heads, v: Heads, dropout: nn.Module) -> Heads:
    """z_l(x) = <kappa(x, .), v_l> with kappa(x, .) proportional to exp(q(x) k(.) / sqrt(e)), of mean 1."""
    if isinstance(dropout, nn.Identity):
        return F.scaled_dot_product_attention(q.mT, k.mT, v.mT).mT
    return v @ dropout((k.mT @ q / math.sqrt(k.shape[-2])).softmax(-2))


def linear(q: Heads, k: Heads, v: Heads, dropout: nn.Module) -> Heads:
    """'galerkin' with q_j > 0 of sum 1 over j and k_j > 0 of mean 1, both by softmax: averages of averages."""
    return dropout(v @ k.softmax(-1).mT) @ q.softmax(-2)


ATTENTIONS: dict[str, Kind] = {"galerkin": galerkin, "fourier": fourier, "softmax": softmax, "linear": linear}


def attention_named(name: str) -> Kind:
    """The kind of attention of that name."""
    if name not in ATTENTIONS:
        raise ValueError(f"unknown attention {name!r}{did_you_mean(name, list(ATTENTIONS))}")
    return ATTENTIONS[name]


class HeadNorm(nn.Module):
    """(u - mean) / deviation times g_c plus b_c, within every head: over its features at a point ('layer'), or over the
    points for a feature ('instance')."""

    def __init__(self, heads: int, features: int, kind: HeadNormName):
        super().__init__()
        if kind not in ("layer", "instance"):
            raise ValueError(f"unknown head norm {kind!r}: expected 'layer', 'instance' or None for no norm")
        self.dim, self.eps = -2 if kind == "layer" else -1, 1e-5
        self.weight = nn.Parameter(torch.ones(heads, features))
        self.bias = nn.Parameter(torch.zeros(heads, features))

    def forward(self, u: Heads) -> Heads:
        centred = u - u.mean(self.dim, keepdim=True)
        variance = centred.square().mean(self.dim, keepdim=True)
        return torch.addcmul(self.bias[..., None], centred, self.weight[..., None] * (variance + self.eps).rsqrt())


class Attention(nn.Module):
    """A(u) = E [z_1, ..., z_h] + c, where every head makes z = attend(q, k, v) from its share of the channels of

        q = W_q u + b_q,   k = W_k u + b_k,   v = W_v u + b_v,   each with the coordinates x in front of every head.

    <k_j, v_l> stands for the mean of k_j v_l over all tokens: the L2 inner product by quadrature, so that z converges
    as the grid is refined, and no token counts twice for being written twice. Then 'galerkin' reads as a
    Petrov-Galerkin projection: v_l is tested with the functions k_j, the answers are its coefficients in the trial
    functions q_j. The norm of k and v takes the place of the inverse mass matrix. 'fourier' and 'softmax' are integral
    operators with a learned kernel, at quadratic cost.

    kind          galerkin, fourier, softmax, linear, or another function of q, k, v and dropout
    heads         must divide the channels
    coordinates   number of coordinates; without any, E and c are left out
    head_norm     'layer' or 'instance' (HeadNorm) or None, before x is added: of q and k for 'fourier' and 'softmax',
                  otherwise of k and v
    dropout       probability of zeroing an entry of <k_j, v_l>, or of kappa, while training
    gain, diagonal    W_q, W_k and W_v start as `diagonal` times the identity plus `gain` times a uniform Xavier
                  matrix: small and nearly the same function in as out, without which deep stacks do not train

    Attention commutes with permutations of the tokens (and of x with them). Source: P238.
    """

    def __init__(
        self,
        space: Space,
        heads: int,
        kind: Kind = galerkin,
        *,
        coordinates: int = 0,
        head_norm: HeadNormName | None = "layer",
        dropout: float = 0.0,
        gain: float = 1e-2,
        diagonal: float = 1e-2,
    ):
        super().__init__()
        width = space.channels
        if heads < 1 or width % heads:
            raise ValueError(f"got {heads} heads for {width} channels: the heads share the channels evenly")
        self.heads, self.attend = heads, kind
        self.query, self.key, self.value = (_near_identity(space, gain, diagonal) for _ in range(3))
        normed = "" if head_norm is None else "qk" if kind in (fourier, softmax) else "kv"
        self.norms = nn.ModuleDict({name: HeadNorm(heads, width // heads, head_norm or "layer") for name in normed})
        self.dropout: nn.Module = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.mix: Pointwise | None = None
        if coordinates:
            self.mix = Pointwise(Space(space.domain, width + heads * coordinates), space, bias=True)

    def forward(
        self,
        query: Float[Tensor, "b c *tokens"],
        key: Float[Tensor, "b c *others"],
        value: Float[Tensor, "b c *others"],
        x: Float[Tensor, "b p ..."] | None = None,
    ) -> Float[Tensor, "b c *tokens"]:
        """Three times u for self-attention; x, where given, belongs to all three."""
        made = {"q": self.query(query), "k": self.key(key), "v": self.value(value)}
        heads = {name: u.flatten(2).unflatten(1, (self.heads, -1)) for name, u in made.items()}
        for name, norm in self.norms.items():
            heads[name] = norm(heads[name])
        if x is not None:
            front = x.flatten(2)[:, None].expand(-1, self.heads, -1, -1)
            heads = {name: torch.cat([front, u], 2) for name, u in heads.items()}
        z = self.attend(heads["q"], heads["k"], heads["v"], self.dropout)
        z = z.flatten(1, 2).unflatten(2, query.shape[2:])
        return z if self.mix is None or x is None else self.mix(z)


def _near_identity(space: Space, gain: float, diagonal: float) -> Pointwise:
    W = Pointwise(space, space, bias=True)
    nn.init.xavier_uniform_(W.weight, gain)
    with torch.no_grad():
        W.weight.add_(diagonal * torch.eye(space.channels))
    if W.bias is not None:
        nn.init.zeros_(W.bias)
    return W
