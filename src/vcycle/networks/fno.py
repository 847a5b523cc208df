"""FNO: neurons whose weights are multipliers of Fourier modes."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.checks import check_counts, check_field
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.fourier_block import BasisName, BlockOptions, FourierBlock, SkipName
from vcycle.networks.norms import NormName
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.operators import Factorization, count_parameters
from vcycle.spaces import Domain, Space, suits_products


class FNO(nn.Module):
    """v_0 = P(a, x),   v_{l+1} = sigma(M sigma(K_l v_l + B v_l) + G v_l),   u = Q v_depth.

    K_l multiplies the lowest Fourier modes by complex matrices (operators.Fourier), B is a 1 x 1 matrix, M a perceptron
    on the channels, G a factor per channel; P and Q are perceptrons on the channels, and x are coordinates appended to
    the input. There is no sigma after the last K and M.

    width, depth       channels and number of blocks
    modes              Fourier modes of both signs per axis: 16 keeps |k| <= 8; one number, or one per axis
    activation         sigma, by name
    coordinates        'cells' (centres) or 'corners' (k / n) of the unit box, or None
    padding            zeros added at both ends of every axis, as a fraction of its points (one, or one per axis), for
                       functions that are not periodic; removed before Q
    basis              'fourier', whatever the boundary conditions; 'domain' for the modes that fit them (sine where
                       Dirichlet, cosine where Neumann; on a periodic box that is 'fourier'); 'sine' or 'cosine' on
                       all axes
    skip, mlp_skip     B and G: 'linear', 'identity', 'gating' or None;  skip_kernel: B as a stencil of that width
    mlp_expansion      channels inside M over width; None leaves M and G out
    norm               'instance', 'group' (of `norm_groups`), 'batch' or None, after K and after M
    preactivation      sigma and norm before K instead of after
    stabilizer         tanh before K
    separable          K_l with a number per channel and mode instead of a matrix
    factorization      K_l as a tensor of low rank: 'tucker', 'cp', 'tt' (tensor train), or None for a dense one
    rank               of the factorization: its share of the dense parameters, or a list of ranks (operators.LowRank)
    lifting_ratio, projection_ratio     channels inside P and Q over width
    dropout            probability of zeroing a channel value in M while training

    Defaults follow release 2.0 of the authors' library. Without coordinates and padding the network commutes with all
    grid shifts of periodic fields. Source: P151, section 5.4.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 32,
        depth: int = 4,
        modes: int | Sequence[int] = 16,
        activation: str = "gelu",
        coordinates: Literal["cells", "corners"] | None = "cells",
        padding: float | Sequence[float] | None = None,
        basis: BasisName = "fourier",
        skip: SkipName | None = "linear",
        skip_kernel: int = 1,
        mlp_skip: SkipName | None = "gating",
        mlp_expansion: float | None = 0.5,
        norm: NormName | None = None,
        norm_groups: int = 1,
        preactivation: bool = False,
        stabilizer: bool = False,
        separable: bool = False,
        factorization: Factorization | None = None,
        rank: int | float | Sequence[int] = 0.1,
        lifting_ratio: float = 2.0,
        projection_ratio: float = 2.0,
        dropout: float = 0.0,
        domain: Domain | None = None,
    ):
        super().__init__()
        check_counts("FNO", in_channels=in_channels, depth=depth, skip_kernel=skip_kernel, norm_groups=norm_groups)
        self.domain = Domain.unit(2) if domain is None else domain
        d = self.domain.dimension
        self.in_channels, self.width, self.coordinates = in_channels, width, coordinates
        self.modes = _per_axis("modes", modes, d)
        self.padding = None if padding is None else _per_axis("padding", padding, d)
        options = BlockOptions(
            modes=self.modes,
            activation=activation,
            basis=basis,
            skip=skip,
            skip_kernel=skip_kernel,
            mlp_skip=mlp_skip,
            mlp_expansion=mlp_expansion,
            norm=norm,
            norm_groups=norm_groups,
            preactivation=preactivation,
            stabilizer=stabilizer,
            separable=separable,
            factorization=factorization,
            rank=rank,
            dropout=dropout,
        )

        def space(channels: int) -> Space:
            return Space(self.domain, channels)

        lifted = in_channels + (0 if coordinates is None else d)
        self.lift = _perceptron(space(lifted), space(int(lifting_ratio * width)), space(width), activation)
        self.blocks = nn.Sequential(
            *(FourierBlock(space(width), options, layer + 1 == depth) for layer in range(depth))
        )
        self.project = _perceptron(space(width), space(int(projection_ratio * width)), space(out_channels), activation)

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *target"]:
        check_field("FNO", x, self.in_channels, self.domain)
        v = self.lift(suits_products(append_coordinates(x, self.coordinates)))
        return self.project(apply_padded(self.blocks, v, self.padding)).contiguous()

    def extra_repr(self) -> str:
        return f"modes={self.modes}, width={self.width}, {count_parameters(self)} parameters"


def apply_padded(
    blocks: nn.Module, v: Float[Tensor, "b c *grid"], padding: Sequence[int | float] | None
) -> Float[Tensor, "b c *target"]:
    """The blocks on v with zeros at both ends of every axis, as a fraction of its points; their image is cropped."""
    if padding is None:
        return blocks(v)
    margins = [round(p * n) for p, n in zip(padding, v.shape[2:], strict=True)]
    v = blocks(nn.functional.pad(v, [m for margin in reversed(margins) for m in (margin, margin)]))
    for dim, margin in enumerate(margins, start=2):
        v = v.narrow(dim, margin, v.shape[dim] - 2 * margin)
    return v


def _perceptron(source: Space, hidden: Space, target: Space, activation: str) -> ChannelPerceptron:
    return ChannelPerceptron(source, hidden, target, activation_named(activation, hidden))


def _per_axis(name: str, value: float | int | Sequence[float | int], dimension: int) -> tuple:
    values = (value,) * dimension if isinstance(value, int | float) else tuple(value)
    if len(values) != dimension:
        raise ValueError(f"got {name}={values} for {dimension} axes: give one for all, or one per axis")
    return values
