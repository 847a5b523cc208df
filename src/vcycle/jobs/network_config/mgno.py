"""Options of MgNO."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class MgNOConfig(Config):
    """Layers of learned V-cycles."""

    name: Literal["mgno"] = "mgno"
    width: int = Field(24, ge=1)
    """channels inside"""
    depth: int = Field(4, ge=1)
    """layers"""
    levels: int | None = Field(None, ge=1)
    """grids of a V-cycle, 5 if neither levels nor iterations are given"""
    iterations: list[tuple[int, int]] | None = None
    """[pre, post] smoothing steps per level, fine to coarse"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    residual: bool = False
    """restrict f - A u, as textbooks do, instead of f"""
    ghost: Literal["zeros", "circular", "reflect", "replicate"] | None = None
    """what stencils see beyond every face, instead of the boundary conditions"""
