"""What equations of evolution share as configuration."""

from typing import Any

from pydantic import Field, model_validator

from vcycle.jobs.problem_config.box import Config, Extents


class EvolutionConfig(Config):
    """The state now to the state later, on a periodic box."""

    name: str
    extents: Extents = Field([1.0])
    """a length or a pair [low, high] per axis"""
    time: float = Field(1.0, gt=0)
    """from the last state given to the last state asked for"""
    history: int = Field(1, ge=1)
    """states given"""
    snapshots: int = Field(1, ge=1)
    """states asked for, equally far apart"""
    alpha: float = 2.0
    """smoothness of the initial state"""
    tau: float = 5.0
    """inverse length scale of the initial state"""
    amplitude: float = 1.0
    """size of the initial state"""
    accuracy: float = Field(1e-6, gt=0)
    """relative error in time asked of labels"""
    warmup: float = Field(0.0, ge=0)
    """from the initial state to the first state given"""
    refinement: int = Field(1, ge=1)
    """solve on so many times as many points per axis"""

    @model_validator(mode="before")
    @classmethod
    def _axes_follow_from_extents(cls, values: Any) -> Any:
        if isinstance(values, dict) and "dimension" in values:
            raise ValueError("the dimension follows from the extents here: give --problem.extents 1,1 for two axes")
        return values

    def plain(self) -> dict[str, Any]:
        """What `problems.build` reads."""
        axes = len(self.extents)
        return self.model_dump() | {"dimension": axes, "boundary": ["periodic"] * axes}
