"""What a surrogate's errors were on samples that neither trained nor selected it, and what follows for fresh inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.conformal import p_value, quantile
from vcycle.hybrid.input_distance import InputDistance
from vcycle.hybrid.scores import band_scores, channel_scale, norm_scores, residual_scale, spread_scale
from vcycle.spaces import H1, L2, Domain, Norm, Placement, finite, per_sample

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]
Scale = Literal["channel", "residual", "spread"]
FAR = 0.05


@dataclass(frozen=True)
class Answer:
    """Inputs and what a network makes of them; `spread` over the members of an ensemble, None for one network."""

    inputs: Float[Tensor, "b i *grid"]
    value: Field
    spread: Field | None = None


@dataclass(frozen=True)
class Calibrated:
    """Bounds that hold, each, with probability `level` for a fresh input from the source of the calibration samples.

    samples    how many these were: for too few of them the bounds are infinite
    l2, h1     (b,) ||u - v|| <= l2 in the L2 norm, likewise in H1
    band       (b, c, *grid) |u - v| <= band at a `share` of all points and channels at once
    p          (b,) share of the calibration inputs, and this one, that are at least as far out as this input
    All are infinite where the prediction is not finite.
    """

    level: float
    samples: int
    share: float
    l2: PerSample
    h1: PerSample
    band: Field
    p: PerSample

    @property
    def far(self) -> list[int]:
        """The inputs that lie farther out than 95 % of the calibration inputs; of those like them at most 5 % do."""
        return [i for i, p in enumerate(self.p.tolist()) if p <= FAR]


@dataclass(frozen=True)
class Calibration:
    """Scores of n calibration samples and the fixed functions they are scores of.

    level, share   nominal coverage; share of the points within a band
    scale          what bands are proportional to: one size per 'channel', the usual 'residual' at every point, or the
                   sum of this and the 'spread' of an ensemble
    field          (1, c, *grid) that size, from residuals on samples that calibrate nothing
    scores         'l2', 'h1', 'band' and 'distance' of every calibration sample, (n,) each
    distance       how far inputs are from the usual ones
    origin         the calibration samples in words; checksum: of the split, where it is stored
    """

    level: float
    share: float
    scale: Scale
    field: Float[Tensor, "1 c *grid"]
    scores: Mapping[str, Float[Tensor, " n"]]
    distance: InputDistance
    origin: str
    checksum: str | None = None

    @classmethod
    def fit(
        cls,
        reference: Answer,
        reference_outputs: Float[Tensor, "r c *grid"],
        answer: Answer,
        outputs: Field,
        domain: Domain,
        placement: Placement = "cell",
        *,
        level: float = 0.9,
        share: float = 1.0,
        scale: Scale = "residual",
        origin: str = "",
        checksum: str | None = None,
    ) -> "Calibration":
        """From answers with their true outputs: `reference` fixes scale and distance, `answer` gives the scores.

        Raises ValueError for a scale 'spread' without an ensemble and a level or share that is none.
        """
        residual = reference_outputs.double() - reference.value.double()
        residual = residual[finite(residual)]
        size = channel_scale(residual) if scale == "channel" else residual_scale(residual)
        if not bool((size > 0).any()):
            size = torch.ones(1, *outputs.shape[1:], dtype=torch.float64)  # no error, or no number, to learn from
        draft = cls(level, share, scale, size, {}, InputDistance.fit(reference.inputs), origin, checksum)
        quantile(torch.zeros(0), level)
        error = outputs.double() - answer.value.double()
        scores = {"band": band_scores(error, draft.scaled(answer), share), "distance": draft.distance(answer.inputs)}
        for name, norm in norms(domain, placement).items():
            scores[name] = norm_scores(norm(error), draft.difficulty(answer, norm, domain, placement))
        return cls(level, share, scale, size, scores, draft.distance, origin, checksum)

    @property
    def samples(self) -> int:
        return len(self.scores["distance"])

    @property
    def resolution(self) -> tuple[int, ...]:
        """The grid of the calibration samples: on another one nothing is claimed."""
        return tuple(self.field.shape[2:])

    def __call__(self, answer: Answer, domain: Domain, placement: Placement = "cell") -> Calibrated:
        """The bounds of fresh answers on the calibration grid."""
        fine = finite(answer.value)
        bounds = {
            name: self.quantile(name) * self.difficulty(answer, norm, domain, placement)
            for name, norm in norms(domain, placement).items()
        }
        band = (self.quantile("band") * self.scaled(answer)).expand(answer.value.shape)
        l2, h1, band = (
            torch.where(per_sample(fine, x), x, torch.inf).nan_to_num(nan=torch.inf, posinf=torch.inf)
            for x in (bounds["l2"], bounds["h1"], band)
        )
        p = p_value(self.distance(answer.inputs), self.scores["distance"])
        return Calibrated(self.level, self.samples, self.share, l2, h1, band, p)

    def quantile(self, name: str) -> float:
        """The conformal quantile of one of the scores."""
        return quantile(self.scores[name], self.level)

    def scaled(self, answer: Answer) -> Field:
        """What the band is proportional to."""
        if self.scale != "spread":
            return self.field
        if answer.spread is None:
            raise ValueError("one network has no spread: give several runs, or the scale 'residual' or 'channel'")
        return spread_scale(answer.spread, self.field)

    def difficulty(self, answer: Answer, norm: Norm, domain: Domain, placement: Placement) -> PerSample:
        """What a bound in a norm is proportional to: the size of the answer, or the L2 norm of the scale 'spread'."""
        if self.scale == "spread":
            return L2(domain, placement)(self.scaled(answer))
        return norm(answer.value.double())


def norms(domain: Domain, placement: Placement) -> dict[str, Norm]:
    """The norms that are calibrated."""
    return {"l2": L2(domain, placement), "h1": H1(domain, placement)}
