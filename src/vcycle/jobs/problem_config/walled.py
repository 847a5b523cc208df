"""What equations of evolution on boxes with walls share as configuration."""

from typing import Any

from pydantic import model_validator

from vcycle.jobs.problem_config.box import Boundary
from vcycle.jobs.problem_config.evolution import EvolutionConfig


class WalledEvolutionConfig(EvolutionConfig):
    """The state now to the state later, on a box whose faces may be walls."""

    boundary: Boundary = "periodic"
    """periodic, neumann or, where u may be fixed, dirichlet: for all faces, or per axis one or a pair"""

    @model_validator(mode="after")
    def _axes_agree(self) -> "WalledEvolutionConfig":
        if isinstance(self.boundary, list) and len(self.boundary) != len(self.extents):
            raise ValueError(
                f"boundary {self.boundary} has {len(self.boundary)} axes and extents {self.extents} have "
                f"{len(self.extents)}: make them agree"
            )
        return self

    def plain(self) -> dict[str, Any]:
        """What `problems.build` reads."""
        walls = [self.boundary] * len(self.extents) if isinstance(self.boundary, str) else self.boundary
        return super().plain() | {"boundary": walls}
