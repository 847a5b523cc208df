"""Options of Transformer."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.network_config.per_axis import Counts
from vcycle.jobs.problem_config import Config


class TransformerConfig(Config):
    """Attention among the points of the grid, with inner products by quadrature."""

    name: Literal["transformer"] = "transformer"
    width: int = Field(96, ge=1)
    """channels inside"""
    depth: int = Field(4, ge=0)
    """blocks of attention and perceptron"""
    heads: int = Field(4, ge=1)
    """heads of every attention, which share the channels"""
    attention: Literal["galerkin", "fourier", "softmax", "linear"] = "galerkin"
    """how points exchange what they carry; softmax costs the square of the points"""
    points: int | None = Field(256, ge=1)
    """points that attend at most, finer grids are averaged; null for all"""
    coordinates: Literal["cells", "corners", "ends"] | None = "cells"
    """coordinates as further inputs and in every head, null for none"""
    head_norm: Literal["layer", "instance"] | None = "layer"
    """normalisation inside the heads"""
    norm_placement: Literal["none", "pre", "post", "peri"] = "peri"
    """where the channels are normalised around attention and perceptron"""
    mlp_expansion: float = Field(2.0, gt=0)
    """channels in the perceptron of a block over width"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    decoder_width: int = Field(32, ge=1)
    """channels in the spectral decoder"""
    decoder_depth: int = Field(2, ge=0)
    """layers of the spectral decoder"""
    modes: Counts = 12
    """modes of the spectral decoder, for all axes or per axis"""
    basis: Literal["domain", "fourier"] = "domain"
    """the sines and cosines that fit the boundary conditions, or Fourier modes"""
    placement: Literal["cell", "vertex"] = "cell"
    """where the points of the grid lie"""
    zero_boundary: bool = False
    """zero at the vertices of Dirichlet faces"""
    dropout: float = Field(0.0, ge=0, lt=1)
    """probability of dropping a value in a block while training"""
    gain: float = Field(1e-2, ge=0)
    """size of the random part of the attention's matrices at the start"""
    diagonal: float = 1e-2
    """size of their diagonal at the start"""
