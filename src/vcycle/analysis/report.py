"""The report: one self-contained HTML page, pictures inside, that can be sent, printed and kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from vcycle.analysis.band_plot import plot_bands
from vcycle.analysis.canvas import embed
from vcycle.analysis.curve_plots import (
    plot_distribution,
    plot_effectivity,
    plot_resolutions,
    plot_spectrum,
    plot_training,
)
from vcycle.analysis.evaluation import Evaluation
from vcycle.analysis.field_plots import plot_case
from vcycle.analysis.findings import (
    KINDS,
    NO_BOUND,
    bound_sentence,
    cost_sentences,
    coverage_sentence,
    error_sentence,
    guarantee,
)
from vcycle.analysis.local_plot import plot_local
from vcycle.analysis.rollout_plot import plot_rollout
from vcycle.analysis.summary import Summary
from vcycle.analysis.wording import NORMS, by, milliseconds, percent, significant, times

TEMPLATE = "report.html"
WHERE = "Where the error of this sample sits: every cell's share, and what the bound says of it without the solution."


@dataclass(frozen=True)
class Picture:
    """A figure as it stands on the page."""

    source: str
    alt: str
    caption: str = ""


def render_report(evaluation: Evaluation) -> str:
    """The page as a string; it loads nothing from anywhere."""
    environment = Environment(
        loader=PackageLoader("vcycle.analysis", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    main = evaluation.tests[0].name
    functions: tuple[Callable[..., object], ...] = (percent, times, milliseconds, significant, by, Summary.of)
    environment.filters |= dict(zip(("percent", "times", "ms", "number", "by", "summary"), functions, strict=True))
    return environment.get_template(TEMPLATE).render(
        e=evaluation,
        norms=NORMS,
        lede=[
            error_sentence(evaluation),
            *map(bound_sentence, evaluation.bounds),
            *(coverage_sentence(c) for c in evaluation.coverage if c.quantity != "h1" and c.test == main),
            *(cost_sentences(evaluation.cost) if evaluation.cost else ()),
        ],
        guarantees=[guarantee(bound) for bound in evaluation.bounds],
        no_bound=NO_BOUND,
        calibrated=KINDS["calibrated"],
        pictures=_pictures(evaluation),
        cases=list(_cases(evaluation)),
    )


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Write the page as UTF-8."""
    path.write_text(render_report(evaluation), "utf-8")


def _pictures(e: Evaluation) -> dict[str, Picture]:
    """The curves by section; sections without numbers have none."""
    found = {"distribution": _picture(plot_distribution(e.tests[0].errors), "svg", "Distribution of the test errors")}
    if e.history:
        found["training"] = _picture(plot_training(e.history), "svg", "Training loss, validation errors, learning rate")
    if e.bounds:
        found["bounds"] = _picture(plot_effectivity(e.bounds), "svg", "Bound against true error for every test sample")
    if e.cases and e.cases[0].band is not None:
        figure = plot_bands(e.cases, e.domain, e.placement, e.output_names[0])
        found["coverage"] = _picture(figure, "svg", "Reference, prediction and calibrated band on the middle line")
    if e.rollout is not None:
        found["rollout"] = _picture(
            plot_rollout(e.rollout), "svg", "Error and correlation over time, spectrum at the end"
        )
    if e.spectrum is not None:
        found["spectrum"] = _picture(plot_spectrum(e.spectrum), "svg", "Energy of solution and error by wavenumber")
    if len(e.resolutions) > 1:
        figure = plot_resolutions(e.resolutions, e.tests[0].shape)
        found["resolutions"] = _picture(figure, "svg", "Error against the number of grid points")
    return found


def _cases(e: Evaluation) -> Iterator[Picture]:
    for case in e.cases:
        for channel, name in enumerate(e.output_names):
            figure = plot_case(case, e.domain, e.placement, e.input_names, e.output_names, e.units, channel)
            caption = case.title if len(e.output_names) == 1 else f"{case.title}: {name}"
            yield _picture(figure, "png", f"Input, reference, prediction and error of {name}", caption)
        if case.local is not None:
            yield _picture(plot_local(case, e.domain), "png", "Energy error and bound of each cell", WHERE)


def _picture(figure: Figure, kind: Literal["png", "svg"], alt: str, caption: str = "") -> Picture:
    return Picture(embed(figure, kind), alt, caption)
