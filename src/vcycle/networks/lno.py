"""LNO: neurons whose weights are integral operators of finite rank."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.checks import check_counts, check_field
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.input_kernel import InputKernel
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.networks.point_functions import PointFeatures, PointFunctions
from vcycle.operators import FiniteRank, Pointwise, count_parameters
from vcycle.spaces import Domain, Space


class LNO(nn.Module):
    """v_0 = P(a, x),   v_{l+1} = sigma(K_l v_l + B_l v_l),   u = Q v_depth,   K v = sum_r phi_r (psi_r, v).

    K_l has finite rank (operators.FiniteRank): phi_r and psi_r are perceptrons of the point, (., .) is the integral
    over the domain. B_l is a 1 x 1 matrix with bias; P and Q are perceptrons on the channels, and x are coordinates.

    width, depth       channels and number of layers
    rank               number of pairs phi_r, psi_r of a layer, functions with `width` components
    entries            instead `rank` pairs of scalar functions for each pair of channels, as P151 was released: width
                       times as many functions
    inputs             phi and psi see the input a(x) besides the point, as P151 was released: K is then another
                       operator for each input, linear in v for each; ten times the cost
    kernel_width, kernel_depth, kernel_activation     hidden layers of phi and psi
    features           Fourier features that phi and psi see: cosines and sines with 1, ..., features half waves per
                       axis (full waves where periodic)
    activation         sigma, by name

    P and B_l start as behind a relu, uniform in +-sqrt(6 / inputs) and without bias, which keeps the spread of v from
    layer to layer. Integrals are the quadrature of the grid: the same function comes out at every resolution that
    resolves phi, psi and the input. On periodic axes all functions are periodic. Source: P151, low-rank operators.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 32,
        depth: int = 4,
        rank: int = 16,
        entries: bool = False,
        inputs: bool = False,
        kernel_width: int = 64,
        kernel_depth: int = 2,
        kernel_activation: str = "sine",
        features: int = 4,
        activation: str = "gelu",
        domain: Domain | None = None,
    ):
        super().__init__()
        check_counts("LNO", in_channels=in_channels, depth=depth, rank=rank)
        self.domain = Domain.unit(2) if domain is None else domain
        self.in_channels, self.width, self.rank, self.inputs = in_channels, width, rank, inputs
        hidden, outer = Space(self.domain, width), Space(self.domain, 2 * width)

        def functions() -> PointFunctions:
            return PointFunctions(
                self.domain,
                width * rank * (width if entries else 1),
                width=kernel_width,
                depth=kernel_depth,
                activation=kernel_activation,
                features=features,
                fields=in_channels if inputs else 0,
            )

        kernel = InputKernel if inputs else FiniteRank
        self.kernels = nn.ModuleList(
            kernel(hidden, hidden, functions(), functions(), rank, entries=entries) for _ in range(depth)
        )
        matrices = [Pointwise(hidden, hidden, bias=True) for _ in range(depth)]
        self.biases = nn.ModuleList(matrices)
        self.sigmas = nn.ModuleList(activation_named(activation, hidden) for _ in range(depth))
        self.features = PointFeatures(self.domain)
        lifted = Space(self.domain, in_channels + self.features.count)
        self.lift = ChannelPerceptron(lifted, hidden, hidden, activation_named(activation, hidden))
        for matrix in (self.lift.inner, self.lift.outer, *matrices):
            for p in matrix.parameters():
                nn.init.zeros_(p) if p.ndim == 1 else nn.init.kaiming_uniform_(p, nonlinearity="relu")
        target = Space(self.domain, out_channels)
        self.project = ChannelPerceptron(hidden, outer, target, activation_named(activation, outer))

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("LNO", x, self.in_channels, self.domain)
        points = append_coordinates(x[:, :0], "cells")
        z = torch.cat([points, x], 1)
        v = self.lift(torch.cat([x, self.features(points)], 1))
        for K, B, sigma in zip(self.kernels, self.biases, self.sigmas, strict=True):
            v = sigma((K(v, z) if self.inputs else K(v)) + B(v))
        return self.project(v)

    def extra_repr(self) -> str:
        return f"rank={self.rank}, width={self.width}, {count_parameters(self)} parameters"
