"""Five numbers that stand for one number per sample."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Summary:
    """Smallest, mean, median, 95 % quantile and largest of a number per sample.

    q95 is an observed value: the smallest that at least 95 % of the samples do not exceed. A number that is not finite
    counts as infinite, so that a network that fails on one sample cannot hide it.

    >>> import torch
    >>> Summary.of(torch.tensor([0.01, 0.02, 0.03, 0.10], dtype=torch.float64))
    Summary(least=0.01, mean=0.04, median=0.025, q95=0.1, worst=0.1, samples=4)
    """

    least: float
    mean: float
    median: float
    q95: float
    worst: float
    samples: int

    @classmethod
    def of(cls, values: Float[Tensor, " b"]) -> "Summary":
        """The summary of one number per sample; raises ValueError when there is none."""
        count = values.numel()
        if count == 0:
            raise ValueError("a summary needs the number of at least one sample, got none")
        ordered = values.detach().double().nan_to_num(nan=math.inf, posinf=math.inf, neginf=math.inf).sort().values
        return cls(
            least=ordered[0].item(),
            mean=ordered.mean().item(),
            median=(0.5 * (ordered[(count - 1) // 2] + ordered[count // 2])).item(),
            q95=ordered[math.ceil(0.95 * count) - 1].item(),
            worst=ordered[-1].item(),
            samples=count,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON, null for what is infinite."""
        return {name: finite_or_none(float(value)) for name, value in asdict(self).items()} | {"samples": self.samples}


def finite_or_none(value: float) -> float | None:
    """Strict JSON has neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def plain(values: Float[Tensor, "..."]) -> list[float | None]:
    """A tensor as a flat list for JSON."""
    return [finite_or_none(value) for value in values.detach().flatten().tolist()]
