"""What a solver returns: the value, how good it is, and advice when it is not."""

from dataclasses import dataclass, replace

from jaxtyping import Bool, Float
from torch import Tensor


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
    residual: Float[Tensor, " b"]
    iterations: int
    converged: Bool[Tensor, " b"]
    message: str

    def centred(self) -> "Solution":
        """The same with the mean of every field removed."""
        return replace(self, value=self.value - self.value.mean(tuple(range(2, self.value.ndim)), keepdim=True))
