"""Curves of a network applied to its own answers: growth of the error, correlation, spectrum at the end."""

import math

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from torch import Tensor

from vcycle.analysis.canvas import BLUE, ORANGE, ROOM, SOFT, legend_above, new_figure, style
from vcycle.analysis.rollout import CORRELATED, Rollout
from vcycle.analysis.spectrum import Spectrum
from vcycle.analysis.wording import NARROW

HEIGHT = 3.3
DASHED = (0, (4, 3))


def plot_rollout(rollout: Rollout) -> Figure:
    """Error and correlation over time, medians as lines, from least to worst as a band; the last state's spectrum."""
    figure = new_figure(HEIGHT)
    panels = figure.subplots(1, 2 if rollout.spectrum is None else 3)
    t, axis = np.array(rollout.times), "time since the last state given"
    _error(panels[0], rollout, t)
    style(panels[0], "growth of the error", axis, "relative L$^2$ error", pad=ROOM)
    _rows(panels[1], t, rollout.correlation, "network", BLUE)
    panels[1].axhline(CORRELATED, color=SOFT, lw=0.8, ls=DASHED)
    until = float(rollout.correlation_time.median())
    if math.isfinite(until):
        panels[1].axvline(until, color=ORANGE, lw=1.0, ls=DASHED, label=f"below {CORRELATED} from t = {until:.3g} on")
    style(panels[1], "correlation with the reference", axis, "correlation", pad=ROOM)
    panels[1].set_ylim(min(0.0, float(rollout.correlation.min())) - 0.02, 1.02)
    if rollout.spectrum is not None:
        _spectrum(panels[2], rollout.spectrum)
        style(panels[2], f"spectrum at t = {rollout.times[-1]:g}", "wavenumber |ω|", "mean of Σ c²", pad=ROOM)
    for panel in panels:
        legend_above(panel)
    return figure


def _error(ax: Axes, rollout: Rollout, t: Float[np.ndarray, " s"]) -> None:
    _rows(ax, t, rollout.error, "network", BLUE)
    ax.plot(t, rollout.persistence.median(0).values.numpy(), color=SOFT, lw=1.2, ls=DASHED, label="nothing changes")
    shown = rollout.error[(rollout.error > 0) & rollout.error.isfinite()]
    if len(shown):
        # Where the answer that nothing changes is right by chance its line may leave the picture.
        ax.set_yscale("log")
        ax.set_ylim(bottom=0.5 * float(shown.min()))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}{NARROW}%"))
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def _rows(ax: Axes, t: Float[np.ndarray, " s"], rows: Float[Tensor, "b s"], label: str, colour: str) -> None:
    """The band leaves out what is infinite: it ends where the first sample does."""
    finite = rows.isfinite().all(0).numpy()
    least, worst = rows.min(0).values.numpy(), rows.max(0).values.numpy()
    ax.fill_between(t[finite], least[finite], worst[finite], color=colour, alpha=0.12, lw=0)
    middle = rows.median(0).values.numpy()
    ax.plot(t[np.isfinite(middle)], middle[np.isfinite(middle)], "o-", color=colour, lw=1.5, ms=3, label=label)


def _spectrum(ax: Axes, spectrum: Spectrum) -> None:
    last = spectrum.complete + 1
    k = spectrum.wavenumbers[:last].numpy()
    # The constant mode has no place on a logarithmic axis; half the fundamental stands for it.
    k = np.where(k == 0, 0.5 * spectrum.fundamental, k)
    for values, colour, width, label in (
        (spectrum.reference, SOFT, 3.0, "reference"),
        (spectrum.error, ORANGE, 1.5, "error"),
    ):
        ax.loglog(k, values[:last].numpy(), color=colour, lw=width, alpha=0.5 if colour == SOFT else 1, label=label)
    ax.set_ylim(bottom=max(ax.get_ylim()[0], 1e-16 * float(spectrum.reference.max())))
