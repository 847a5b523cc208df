"""Options of the Cahn-Hilliard equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.walled import WalledEvolutionConfig


class CahnHilliardConfig(WalledEvolutionConfig):
    """u_t = M lap(u^3 - u - eps^2 lap u), an alloy that separates."""

    name: Literal["cahn_hilliard"] = "cahn_hilliard"
    extents: Extents = Field([1.0, 1.0])
    """a length or a pair [low, high] per axis"""
    width: float = Field(0.02, gt=0)
    """eps, a quarter of the width of interfaces"""
    mobility: float = Field(1.0, gt=0)
    """M"""
    mean: float = 0.0
    """mean of the initial state"""
    time: float = Field(0.02, gt=0)
    """from the last state given to the last state asked for"""
    alpha: float = 4.0
    """smoothness of the initial state"""
    tau: float = 20.0
    """inverse length scale of the initial state"""
    amplitude: float = 0.2
    """size of the initial state"""
