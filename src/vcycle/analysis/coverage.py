"""Did calibrated bounds cover what they say, and for which inputs?"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from scipy.special import betaincinv
from torch import Tensor

from vcycle.analysis.summary import Summary, plain

THIRDS = ("low", "middle", "high")


@dataclass(frozen=True)
class Share:
    """held of samples, with the binomial interval of Clopper and Pearson: it covers the truth with `confidence`."""

    held: int
    samples: int
    confidence: float = 0.95

    @property
    def value(self) -> float:
        """held / samples; 0 of 0 says nothing and is 0."""
        return self.held / max(self.samples, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """The probabilities that k of n is not too few or too many for.

        >>> low, high = Share(18, 20).interval
        >>> round(low, 3), round(high, 3)
        (0.683, 0.988)
        """
        k, n, tail = self.held, self.samples, (1 - self.confidence) / 2
        low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
        high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
        return low, high

    def to_dict(self) -> dict[str, Any]:
        return {"held": self.held, "samples": self.samples, "share": self.value, "interval": list(self.interval)}


@dataclass(frozen=True)
class Coverage:
    """On which test samples a calibrated bound held.

    test, quantity   the test set, and what was bounded: the 'l2' or 'h1' norm of the error, or in a 'band' every point
    level            the nominal coverage; calibrated: from how many samples
    held             (b,) whether the bound held
    size             (b,) the bound over the norm of the reference; of a band its mean half width over the mean square
    difficulties     a number per sample, by name; coverage is also given for the thirds of each
    far              (b,) whether the input lies farther out than 95 % of the calibration inputs
    """

    test: str
    quantity: str
    level: float
    calibrated: int
    held: Bool[Tensor, " b"]
    size: Float[Tensor, " b"]
    difficulties: dict[str, Float[Tensor, " b"]]
    far: Bool[Tensor, " b"]

    @property
    def share(self) -> Share:
        return _share(self.held)

    @property
    def consistent(self) -> bool:
        """Whether the nominal level is not above what the test samples allow."""
        return self.share.interval[1] >= self.level

    def thirds(self, difficulty: str) -> dict[str, Share]:
        """Coverage where a difficulty is low, middle and high: the guarantee is for all together."""
        order = self.difficulties[difficulty].argsort()
        return {
            name: _share(self.held[part]) for name, part in zip(THIRDS, order.tensor_split(3), strict=True) if len(part)
        }

    def to_dict(self) -> dict[str, Any]:
        return {
            "test": self.test,
            "quantity": self.quantity,
            "level": self.level,
            "calibration_samples": self.calibrated,
            "coverage": self.share.to_dict(),
            "relative_size": Summary.of(self.size).to_dict(),
            "thirds": {
                name: {third: share.to_dict() for third, share in self.thirds(name).items()}
                for name in self.difficulties
            },
            "far": int(self.far.sum()),
            "values": {"held": self.held.tolist(), "size": plain(self.size)},
        }


def _share(held: Bool[Tensor, " b"]) -> Share:
    return Share(int(torch.count_nonzero(held)), len(held))
