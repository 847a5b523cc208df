"""Options of the Swift-Hohenberg equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.walled import WalledEvolutionConfig


class SwiftHohenbergConfig(WalledEvolutionConfig):
    """u_t = r u - (q^2 + lap)^2 u + g u^2 - u^3, stripes and hexagons."""

    name: Literal["swift_hohenberg"] = "swift_hohenberg"
    extents: Extents = Field([50.0, 50.0])
    """a length or a pair [low, high] per axis"""
    driving: float = 0.3
    """r"""
    wavenumber: float = 1.0
    """q, of the pattern"""
    quadratic: float = 0.0
    """g: stripes for 0, hexagons for more"""
    time: float = Field(20.0, gt=0)
    """from the last state given to the last state asked for"""
    alpha: float = 4.0
    """smoothness of the initial state"""
    tau: float = 0.5
    """inverse length scale of the initial state"""
    amplitude: float = 0.2
    """size of the initial state"""
