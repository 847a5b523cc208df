"""Options of the Allen-Cahn equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.walled import WalledEvolutionConfig


class AllenCahnConfig(WalledEvolutionConfig):
    """u_t = nu lap u + u - u^3, phases that separate."""

    name: Literal["allen_cahn"] = "allen_cahn"
    extents: Extents = Field([1.0, 1.0])
    """a length or a pair [low, high] per axis"""
    viscosity: float = Field(1e-3, gt=0)
    """nu, the square of the width of interfaces"""
    time: float = Field(3.0, gt=0)
    """from the last state given to the last state asked for"""
    amplitude: float = 0.5
    """size of the initial state"""
