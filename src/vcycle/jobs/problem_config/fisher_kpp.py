"""Options of the Fisher-KPP equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.walled import WalledEvolutionConfig


class FisherKPPConfig(WalledEvolutionConfig):
    """u_t = nu lap u + r u (1 - u), growth and spread."""

    name: Literal["fisher_kpp"] = "fisher_kpp"
    extents: Extents = Field([10.0])
    """a length or a pair [low, high] per axis"""
    viscosity: float = Field(0.1, gt=0)
    """nu"""
    growth: float = 1.0
    """r"""
    time: float = Field(3.0, gt=0)
    """from the last state given to the last state asked for"""
    tau: float = 1.0
    """inverse length scale of the initial state"""
    amplitude: float = 3.0
    """size of the initial state"""
