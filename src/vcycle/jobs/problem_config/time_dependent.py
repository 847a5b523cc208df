"""What problems in time on grids share as configuration."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary, BoxConfig


class TimeDependentConfig(BoxConfig):
    """States at instants, on a box."""

    time: float = Field(1.0, gt=0)
    """until the last state asked for"""
    snapshots: int = Field(1, ge=1)
    """states asked for, equally far apart"""


class MethodOfLinesConfig(TimeDependentConfig):
    """States of equations that are discretised in space and solved in time to an accuracy."""

    accuracy: float = Field(5e-5, gt=0)
    """relative error in time asked of labels"""


class ConservationLawConfig(MethodOfLinesConfig):
    """The state now to the state later, with shocks."""

    boundary: Boundary = "periodic"
    """periodic, or neumann for walls: for all faces, or per axis one or a pair [low face, high face]"""
    time: float = Field(0.2, gt=0)
    """from the last state given to the last state asked for"""
    history: int = Field(1, ge=1)
    """states given"""
    limiter: Literal["van_leer", "minmod"] = "van_leer"
    """of slopes in cells: van_leer or minmod"""
    riemann: Literal["hllc", "rusanov"] = "hllc"
    """flux between cells: hllc or rusanov"""
    refinement: int = Field(1, ge=1)
    """solve on so many times as many cells per axis"""
    absorbing: bool = False
    """whether walls let waves out"""
    alpha: float = 4.0
    """smoothness of random fields in the initial state"""
    tau: float = 5.0
    """inverse length scale of these"""
