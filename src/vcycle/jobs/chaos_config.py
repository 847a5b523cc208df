"""Options of `vcycle chaos`. Imports no torch: help and errors come at once."""

from pydantic import Field

from vcycle.jobs.problem_config import Config


class ChaosConfig(Config):
    """Trajectories of a chaotic system of the dysts collection, every one computed by two methods."""

    system: str
    """name in the collection, such as Lorenz, Rossler or Chua"""
    out: str
    """folder of the data"""
    samples: int = Field(100, ge=1)
    """number of trajectories"""
    states: int = Field(20, ge=2)
    """states of each, the first one given"""
    per_period: float = Field(10.0, gt=0)
    """states in a period of the strongest frequency"""
    parameters: dict[str, float] | None = None
    """others than those of the collection, {rho: 30}"""
    seed: int = Field(0, ge=0)
    """of the first states"""
    splits: dict[str, int | float] | None = None
    """fractions or counts, {train: 0.8, validation: 0.1, test: 0.1} if not given"""
