"""Is the bound a bound, and how sharp is it?"""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.analysis.summary import Summary, finite_or_none, plain


@dataclass(frozen=True)
class Effectivity:
    """bound / true error of every sample: at least 1 for a guaranteed bound, and the nearer to 1 the sharper.

    form        what the error is measured against: 'discrete' (the solution on the grid) or 'continuum' (of the PDE)
    kind        what is claimed of the number: 'guaranteed', 'calibrated' or 'indicator'
    bound, error, size   absolute values per sample, in one norm; `size` is the norm of the reference solution
    slack       how far `error` may be from the truth, relative to it: the reference solution is computed too
    measure     of errors: 'energy norm', 'gradient norm' or, for minima of energies that are not quadratic,
                'energy distance'
    """

    form: str
    kind: str
    bound: Float[Tensor, " b"]
    error: Float[Tensor, " b"]
    size: Float[Tensor, " b"]
    slack: Float[Tensor, " b"]
    measure: str = "energy norm"

    @property
    def ratio(self) -> Float[Tensor, " b"]:
        """bound / error."""
        return self.bound / self.error

    @property
    def relative(self) -> Float[Tensor, " b"]:
        """bound / ||u_ref||: the bound as a fraction of the solution."""
        return self.bound / self.size

    @property
    def held(self) -> Bool[Tensor, " b"]:
        """Whether bound >= error, up to the slack."""
        return self.bound >= self.error * (1 - self.slack)

    @property
    def violations(self) -> int:
        """On how many samples the bound lies below the error."""
        return int((~self.held).sum())

    def to_dict(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "kind": self.kind,
            "measure": self.measure,
            "samples": len(self.bound),
            "violations": self.violations,
            "slack": finite_or_none(self.slack.max().item()),
            "ratio": Summary.of(self.ratio).to_dict(),
            "relative_bound": Summary.of(self.relative).to_dict(),
            "values": {"bound": plain(self.bound), "error": plain(self.error), "size": plain(self.size)},
        }
