"""What calibrated bounds say, and for which inputs they say less, in sentences."""

from vcycle.analysis.wording import by, percent
from vcycle.hybrid.conformal import Realised, fewest
from vcycle.spaces import L2
from vcycle.surrogate import Calibrated, Calibration, Prediction, Surrogate

SCALES = {
    "channel": "the usual error of the channel",
    "residual": "the usual error at the point",
    "spread": "the sum of spread and usual error at the point",
}


def summary(c: Calibration) -> str:
    """The quantiles, what they claim, and how far one calibration set can be from that."""
    law = Realised.of(c.samples, c.level)
    unit = "times the norm of spread plus usual error" if c.scale == "spread" else "times the prediction's own norm"
    lines = [
        f"calibrated on {c.samples} samples at {by(c.resolution)}: {c.origin}",
        f"for a fresh input of the same source, each with probability {percent(c.level)}:",
        f"  L² error <= {c.quantile('l2'):.3g} {unit}",
        f"  H¹ error <= {c.quantile('h1'):.3g} {unit}",
        f"  |error| <= {c.quantile('band'):.3g} times {SCALES[c.scale]}, {places(c.share)}",
        f"(of all such sets of {c.samples} samples; 9 in 10 of them cover {percent(law.low)} to {percent(law.high)})",
    ]
    if c.samples < fewest(c.level):
        lines.append(f"these bounds are infinite: {percent(c.level)} takes at least {fewest(c.level)} samples")
    return "\n".join(lines)


def places(share: float) -> str:
    """Where a band holds."""
    return "everywhere at once" if share == 1 else f"at {percent(share)} of the points at once"


def calibration_words(surrogate: Surrogate, prediction: Prediction, most: int = 20) -> list[str]:
    """The calibrated bounds of at most `most` predictions one by one, and a warning for inputs that are far out."""
    if surrogate.calibration is None:
        return []
    if prediction.calibrated is None:
        grid = by(surrogate.calibration.resolution)
        return [f"no calibrated bounds: the calibration is for {grid}, predict there to have them"]
    c, size = prediction.calibrated, L2(surrogate.domain, surrogate.placement)(prediction.value)
    lines = [
        f"calibrated bounds from {c.samples} held-out samples; for an input of the same source each holds with "
        f"probability {percent(c.level)}, the band {places(c.share)}",
    ]
    if c.samples < fewest(c.level):
        lines.append(f"they are infinite: {percent(c.level)} takes at least {fewest(c.level)} calibration samples")
    lines.append("sample   L2 error <=   of prediction   H1 error <=   widest band ±   p of the input")
    largest = c.band.flatten(1).amax(1)
    for i in range(min(most, len(size))):
        lines.append(
            f"{i:6d}   {c.l2[i]:11.3e}   {100 * c.l2[i] / size[i]:11.2f} %   {c.h1[i]:11.3e}   {largest[i]:13.3e}   "
            f"{c.p[i]:14.3f}"
        )
    if len(size) > most:
        lines.append(f"   ... and {len(size) - most} more")
    return [*lines, *far_words(c)]


def far_words(c: Calibrated) -> list[str]:
    """One sentence for inputs unlike those of the calibration."""
    if not c.far:
        return []
    count = len(c.far)
    named = f"input {c.far[0]} lies" if count == 1 else f"{count} inputs ({_some(c.far)}) lie"
    return [
        f"warning: {named} farther out than 95 % of the calibration inputs, and calibrated bounds may fail there: use "
        "the guaranteed bound where there is one, or solve"
    ]


def _some(numbers: list[int], most: int = 5) -> str:
    return ", ".join(map(str, numbers[:most])) + (", ..." if len(numbers) > most else "")
