"""Split-conformal prediction: the quantile of calibration scores that a fresh score does not exceed with probability
`level`, whatever the network, the equation and the distribution of the inputs."""

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from jaxtyping import Float
from scipy.special import betaincinv
from torch import Tensor

Scores = Float[Tensor, " n"]


def rank(samples: int, level: float) -> int:
    """k = ceil((n + 1) level): of n scores the k-th smallest is taken; n + 1 stands for infinity.

    >>> [rank(n, 0.9) for n in (8, 9, 19, 100)]
    [9, 9, 18, 91]
    """
    return math.ceil((samples + 1) * _exact(level))


def fewest(level: float) -> int:
    """The smallest number of samples with a finite quantile at this level.

    >>> [fewest(level) for level in (0.8, 0.9, 0.95)]
    [4, 9, 19]
    """
    return math.ceil(_exact(level) / (1 - _exact(level)))


def quantile(scores: Scores, level: float) -> float:
    """q with P(s <= q) >= level for a fresh score s that is exchangeable with the n given ones.

    q is the k-th smallest score, k = ceil((n + 1) level), and infinite for k > n. Where no two scores are equal,
    P(s <= q) = k / (n + 1) <= level + 1 / (n + 1). A score that is NaN counts as infinite.

    Source: V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005; J. Lei et al.,
    Distribution-free predictive inference for regression, JASA 113, 2018.

    >>> quantile(torch.tensor([3.0, 1.0, 2.0, 4.0]), 0.8), quantile(torch.tensor([3.0, 1.0, 2.0]), 0.8)
    (4.0, inf)
    """
    k = rank(len(scores), level)
    if k > len(scores):
        return math.inf
    return float(scores.double().nan_to_num(nan=math.inf, posinf=math.inf).sort().values[k - 1])


def p_value(value: Float[Tensor, " b"], scores: Scores) -> Float[Tensor, " b"]:
    """p = (1 + #{i: s_i >= s}) / (n + 1), so that P(p <= t) <= t for a fresh s exchangeable with the s_i.

    >>> p_value(torch.tensor([0.5, 2.5, 9.0]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([1.0000, 0.5000, 0.2500], dtype=torch.float64)
    """
    s, others = (x.double().nan_to_num(nan=math.inf, posinf=math.inf) for x in (value, scores.to(value.device)))
    below = torch.searchsorted(others.sort().values, s)
    return (1 + len(others) - below).double() / (len(others) + 1)


@dataclass(frozen=True)
class Realised:
    """The coverage P(s <= q | s_1, ..., s_n) of one calibration set: it varies around its mean from set to set.

    For scores without ties it has the law Beta(k, n + 1 - k); `low` and `high` are the ends that leave (1 - confidence)
    / 2 of it on either side. Source: V. Vovk, Conditional validity of inductive conformal predictors, 2012.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: int, level: float, confidence: float = 0.9) -> "Realised":
        """The law for n samples; coverage is 1 where the quantile is infinite."""
        k = rank(samples, level)
        if k > samples:
            return cls(1.0, 1.0, 1.0)
        tail = (1 - confidence) / 2
        low, high = betaincinv(k, samples + 1 - k, [tail, 1 - tail])
        return cls(k / (samples + 1), float(low), float(high))


def _exact(level: float) -> Fraction:
    """The level as the decimal it was written as: in binary (99 + 1) * 0.55 exceeds 55."""
    if not 0 < level < 1:
        raise ValueError(f"a level is a probability between 0 and 1, got {level:g}: give for instance 0.9")
    return Fraction(str(level))
