"""What a solver returns: the value, how good it is, and advice when it is not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

PerSample = Float[Tensor, " b"]


@dataclass(frozen=True)
class Solution:
    """The result of an iteration, for a batch.

    value       (b, c, *grid)
    residual    (b,) relative residual ||f - A u|| / ||f|| in the solver's norm, recomputed from the value
    iterations  how many were done for the batch
    converged   (b,) whether each sample met the tolerance
    message     one sentence; what to try next where something did not converge
    """

    value: Float[Tensor, "b c *grid"]
    residual: PerSample
    iterations: int
    converged: Bool[Tensor, " b"]
    message: str

    def centred(self) -> "Solution":
        """The same with the mean of every field removed."""
        return replace(self, value=self.value - self.value.mean(tuple(range(2, self.value.ndim)), keepdim=True))

    @staticmethod
    def joined(parts: Sequence["Solution"], tolerance: float) -> "Solution":
        """Of the whole batch, from those of its parts."""
        if len(parts) == 1:
            return parts[0]
        residual, converged = torch.cat([s.residual for s in parts]), torch.cat([s.converged for s in parts])
        iterations = max(s.iterations for s in parts)
        message = outcome(residual, converged, iterations, tolerance)
        return Solution(torch.cat([s.value for s in parts]), residual, iterations, converged, message)


def outcome(residual: PerSample, converged: Bool[Tensor, " b"], iterations: int, tolerance: float) -> str:
    """One sentence on an iteration: how far it came, and what to try where that is not enough."""
    if bool(converged.all()):
        return f"converged in {iterations} iterations to relative residuals of at most {float(residual.max()):.1e}"
    missing = int((~converged).sum())
    return (
        f"{missing} of {converged.numel()} samples missed the tolerance {tolerance:.0e} after {iterations} iterations "
        f"(worst residual {float(residual.max()):.1e}): allow more iterations, a looser tolerance or a lower contrast"
    )
