"""What the numbers say, in plain sentences, the unwelcome ones included."""

from vcycle.analysis.cost import Cost
from vcycle.analysis.coverage import Coverage
from vcycle.analysis.effectivity import Effectivity
from vcycle.analysis.evaluation import Evaluation
from vcycle.analysis.summary import Summary
from vcycle.analysis.wording import by, milliseconds, percent, significant, times

PARITY = 1.1

KINDS = {
    "guaranteed": "It holds for every single input, whatever the network returns, and uses no test data.",
    "calibrated": "It holds for the stated share of samples that come from the same source as the calibration data.",
    "indicator": "It indicates where the error is large; nothing is claimed for a single input.",
}
FORMS = {
    "discrete": (
        "Discrete form: {measure} the prediction and the solution of the discrete equations on the same grid is at "
        "most the bound. What the grid itself loses is not counted."
    ),
    "continuum": (
        "Continuum form: {measure} the function made from the prediction and the solution of the PDE is at most the "
        "bound. What the grid itself loses is counted."
    ),
}
MEASURES = {
    "energy norm": "the energy norm of the difference between",
    "gradient norm": "the L² norm of the gradient of the difference between",
    "energy distance": "the energy distance (2 (E(v) − E(u)))^½, E the energy that the solution minimises, between",
}
NO_BOUND = (
    "There is no bound for these predictions: the network was trained on data, and no equation is known from which one "
    "could follow. The errors below were measured on the test samples; for another input they are an expectation, not "
    "a guarantee."
)


def guarantee(bound: Effectivity) -> str:
    """What the bound claims."""
    return f"{FORMS[bound.form].format(measure=MEASURES[bound.measure])} {KINDS[bound.kind]}"


def error_sentence(evaluation: Evaluation) -> str:
    """The median, 95 % and worst relative L2 error on the first test set."""
    test = evaluation.tests[0]
    l2 = Summary.of(test.errors.l2)
    return (
        f"On {test.samples} test samples at {by(test.shape)} the relative L² error is {percent(l2.median)} in the "
        f"median, at most {percent(l2.q95)} for 95 % of the samples, and {percent(l2.worst)} at worst."
    )


def bound_sentence(bound: Effectivity) -> str:
    """Whether the bound held, and how sharp it is."""
    samples, unknown = len(bound.bound), int(bound.bound.isinf().sum())
    ratio = Summary.of(bound.ratio)
    if bound.violations:
        return (
            f"The {bound.form} bound FAILED: it lies below the true error on {bound.violations} of {samples} samples "
            f"(smallest ratio {times(ratio.least)})."
        )
    if unknown:
        return f"The {bound.form} bound says nothing of {unknown} of {samples} samples: the prediction is not finite."
    return (
        f"The {bound.form} bound held on all {samples} samples it was checked on; it is {times(ratio.median)} times "
        f"the true error in the median, {times(ratio.worst)} times at most."
    )


def coverage_sentence(coverage: Coverage) -> str:
    """What was promised, what was measured, and whether the one can be the other."""
    share, (low, high) = coverage.share, coverage.share.interval
    bound = {"l2": "L² bound", "h1": "H¹ bound", "band": "band"}[coverage.quantity]
    opening = (
        f"The calibrated {bound} ({percent(coverage.level)} nominal, from {coverage.calibrated} samples) held on "
        f"{share.held} of {share.samples} samples of {coverage.test}: {percent(share.value)}, with the binomial "
        f"interval {percent(low)} to {percent(high)}"
    )
    return f"{opening}." if coverage.consistent else f"{opening}, which is LESS than nominal."


def cost_sentences(cost: Cost) -> tuple[str, ...]:
    """For every batch size, who is faster at equal accuracy."""
    return tuple(_cost_sentence(cost, batch) for batch in cost.milliseconds)


def _cost_sentence(cost: Cost, batch: int) -> str:
    rival, ratio = cost.fastest(batch), cost.ratio(batch)
    opening = f"At batch {batch} a prediction takes {milliseconds(cost.milliseconds[batch])}"
    if cost.useless:
        return f"{opening}; to answer zero takes no time and is as accurate, so that there is nothing to compare."
    if rival is None or ratio is None:
        return f"{opening}; no solver that was tried reached the network’s accuracy."
    solver = f"the fastest solver of the same accuracy ({rival.name}) {milliseconds(rival.milliseconds[batch])}"
    against = f"{opening}, {solver}"
    if ratio > PARITY:
        return f"{against}: the network is {significant(ratio)} times faster."
    if ratio < 1 / PARITY:
        return f"{against}: the solver is {significant(1 / ratio)} times faster, and there is no gain in time."
    return f"{against}: neither is faster."
