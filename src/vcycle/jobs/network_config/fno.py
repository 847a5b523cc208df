"""Options of FNO."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.network_config.per_axis import Counts, Rank, Shares
from vcycle.jobs.problem_config import Config


class FNOConfig(Config):
    """Layers of truncated Fourier multipliers."""

    name: Literal["fno"] = "fno"
    width: int = Field(32, ge=1)
    """channels inside"""
    depth: int = Field(4, ge=1)
    """layers"""
    modes: Counts = 16
    """Fourier modes of both signs, for all axes or per axis"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    coordinates: Literal["cells", "corners"] | None = "cells"
    """coordinates as further inputs, null for none"""
    padding: Shares | None = None
    """zeros at both ends of every axis, as a share of its points"""
    basis: Literal["fourier", "domain", "cosine", "sine"] = "fourier"
    """Fourier modes, those that fit the boundary conditions (domain), or cosines or sines on all axes"""
    skip: Literal["linear", "identity", "gating"] | None = "linear"
    """what is added to the multiplier"""
    skip_kernel: int = Field(1, ge=1)
    """width of a linear skip as a stencil"""
    mlp_skip: Literal["linear", "identity", "gating"] | None = "gating"
    """what is added to the perceptron"""
    mlp_expansion: float | None = Field(0.5, gt=0)
    """channels in the perceptron over width, null for no perceptron"""
    norm: Literal["instance", "group", "batch"] | None = None
    """normalisation of the channels"""
    norm_groups: int = Field(1, ge=1)
    """number of groups of norm group"""
    preactivation: bool = False
    """nonlinearity before the multiplier instead of after"""
    stabilizer: bool = False
    """tanh before the multiplier"""
    separable: bool = False
    """a number per channel and mode instead of a matrix"""
    factorization: Literal["tucker", "cp", "tt"] | None = None
    """low-rank form of the multiplier, null for a dense one"""
    rank: Rank = 0.1
    """share of the dense parameters that the factorization has, or its ranks"""
    lifting_ratio: float = Field(2.0, gt=0)
    """channels in the first perceptron over width"""
    projection_ratio: float = Field(2.0, gt=0)
    """channels in the last perceptron over width"""
    dropout: float = Field(0.0, ge=0, lt=1)
    """probability of dropping a value in a perceptron while training"""
