"""Curves and scatters: training, distribution of errors, spectra, effectivity, other resolutions."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from torch import Tensor

from vcycle.analysis.canvas import BLUE, COLOURS, GREEN, INK, ORANGE, ROOM, SOFT, legend_above, new_figure, style
from vcycle.analysis.effectivity import Effectivity
from vcycle.analysis.errors import Errors
from vcycle.analysis.evaluation import Row
from vcycle.analysis.resolution import AtResolution
from vcycle.analysis.spectrum import Spectrum
from vcycle.analysis.summary import Summary
from vcycle.analysis.wording import NARROW, NORMS

HEIGHT = 3.3
PERCENT = f"{NARROW}%"
METRICS = {"validation_loss": "loss", "validation_l2": "L$^2$ error", "validation_h1": "H$^1$ error"}


def plot_training(history: Sequence[Row]) -> Figure:
    """Training loss and validation metrics over steps, and the learning rate."""
    figure = new_figure(HEIGHT)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    metrics = [name for name in history[0] if name.startswith("validation_")]
    loss = _column(history, "loss")
    left.plot(*loss, color=SOFT, lw=1.0, alpha=0.8, label="training loss")
    for name, colour in zip(metrics, COLOURS, strict=False):
        dashed = "--" if name == "validation_loss" else "-"
        left.plot(*_column(history, name), dashed, color=colour, lw=1.5, label=f"validation {METRICS.get(name, name)}")
    style(left, "loss and validation errors", "step", pad=ROOM)
    _log(left, "y")
    legend_above(left)
    right.plot(*_column(history, "learning_rate"), color=GREEN, lw=1.4)
    style(right, "learning rate", "step", pad=ROOM)
    right.set_ylim(bottom=0)
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    for ax in (left, right):
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",", NARROW)))
    return figure


def plot_distribution(errors: Errors) -> Figure:
    """The fraction of test samples with an error up to x, in every norm, and boundary against interior."""
    measured = errors.measured()
    figure = new_figure(HEIGHT)
    left, right = figure.subplots(1, 2, sharey=True)
    _distribution(left, {name: measured[name] for name in ("l2", "h1", "energy") if name in measured})
    style(left, "errors on the whole domain", "relative error", "fraction of samples", pad=ROOM)
    legend_above(left)
    near = {name: measured[name] for name in ("boundary", "interior") if name in measured}
    if near:
        _distribution(right, near)
        style(right, "relative L$^2$ error near the boundary and inside", "relative error", pad=ROOM)
        legend_above(right)
    else:
        right.set_axis_off()
    return figure


def plot_spectrum(spectrum: Spectrum) -> Figure:
    """Energy of reference and error per shell of wavenumbers, and their ratio as a relative error."""
    last = spectrum.complete + 1
    k = spectrum.wavenumbers[:last].numpy()
    reference, error = spectrum.reference[:last].numpy(), spectrum.error[:last].numpy()
    # The constant mode has no place on a logarithmic axis; half the fundamental stands for it.
    k = np.where(k == 0, 0.5 * spectrum.fundamental, k)
    visible = reference > 1e-26 * reference.max()
    figure = new_figure(HEIGHT)
    left, right = figure.subplots(1, 2)
    left.plot(k[visible], reference[visible], color=SOFT, lw=3.0, alpha=0.5, label="reference")
    left.plot(k[visible], error[visible], color=ORANGE, lw=1.5, label="error")
    style(left, "energy per shell of wavenumbers", "wavenumber |ω|", "mean of Σ c²", pad=ROOM)
    legend_above(left)
    right.plot(k[visible], np.sqrt(error[visible] / reference[visible]), color=BLUE, lw=1.5)
    right.axhline(1, color=SOFT, lw=0.8, ls=(0, (4, 3)))
    style(right, "relative error per shell", "wavenumber |ω|", pad=ROOM)
    for ax in (left, right):
        _log(ax, "x")
        _log(ax, "y")
        _short_axis(ax, "x", 1.0, "")
    _short_axis(right, "y", 100.0, PERCENT)
    return figure


def plot_effectivity(bounds: Sequence[Effectivity]) -> Figure:
    """Bound over true error for every sample, with the line no bound may cross, and the distribution of the ratio."""
    figure = new_figure(3.7)
    left, right = figure.subplots(1, 2)
    shown = torch.cat([values for bound in bounds for values in (bound.error / bound.size, bound.relative)])
    shown = shown[shown.isfinite() & (shown > 0)]
    ends = np.array([shown.min().item() / 1.5, shown.max().item() * 1.5]) if len(shown) else np.array([0.1, 1.0])
    left.plot(ends, ends, color=INK, lw=0.9)
    left.fill_between(ends, ends[0], ends, color=SOFT, alpha=0.10, lw=0)
    forbidden = "below the true error:\nno bound may be here"
    left.text(0.97, 0.05, forbidden, transform=left.transAxes, fontsize=8, color=SOFT, ha="right", linespacing=1.4)
    for bound, colour, marker in zip(bounds, COLOURS, "oDs^", strict=False):
        left.plot(
            (bound.error / bound.size).numpy(force=True), bound.relative.numpy(force=True),
            marker, color=colour, ms=4.5, mec="white", mew=0.4, alpha=0.85, label=f"{bound.form} form",
        )  # fmt: skip
        right.plot(*_steps(bound.ratio), color=colour, lw=1.5, drawstyle="steps-post", label=f"{bound.form} form")
    style(
        left,
        f"bound and true error: {bounds[0].measure}",
        "true error / size of solution",
        "bound / size of solution",
        pad=ROOM,
    )
    for axis in "xy":
        _log(left, axis)
        _short_axis(left, axis, 100.0, PERCENT)
    left.set(xlim=ends, ylim=ends, aspect="equal")
    legend_above(left)
    right.axvline(1, color=INK, lw=0.9)
    style(right, "bound / true error", "ratio", "fraction of samples", pad=ROOM)
    right.set_ylim(0, 1.02)
    right.set_xlim(left=0.98)
    legend_above(right)
    return figure


def plot_resolutions(rows: Sequence[AtResolution], trained: tuple[int, ...]) -> Figure:
    """Relative L2 error against points per side: medians as lines, from least to worst as a band."""
    figure = new_figure(3.3)
    ax = style(
        figure.subplots(), "error on other grids", "points along the first axis", "relative L$^2$ error", pad=ROOM
    )
    x = [row.shape[0] for row in rows]
    curves = (
        ("network on this grid", [row.network for row in rows], BLUE, "o"),
        ("network on the training grid, interpolated", [row.interpolated for row in rows], ORANGE, "D"),
        ("the reference’s own grid error", [row.grid for row in rows], SOFT, "s"),
    )
    for label, summaries, colour, marker in curves:
        _band(ax, x, summaries, label, colour, marker)
    ax.axvline(trained[0], color=SOFT, lw=0.8, ls=(0, (4, 3)), zorder=0)
    _log(ax, "x")
    _log(ax, "y")
    _short_axis(ax, "y", 100.0, PERCENT)
    ax.xaxis.set_major_locator(FixedLocator(x))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:.0f}" + ("\n(trained)" if round(value) == trained[0] else ""))
    )
    legend_above(ax)
    return figure


def _band(ax: Axes, x: list[int], summaries: list[Summary | None], label: str, colour: str, marker: str) -> None:
    points = [(n, summary) for n, summary in zip(x, summaries, strict=True) if summary is not None]
    if points:
        at, found = [n for n, _ in points], [summary for _, summary in points]
        ax.fill_between(at, [s.least for s in found], [s.worst for s in found], color=colour, alpha=0.10, lw=0)
        ax.plot(at, [s.median for s in found], marker + "-", color=colour, lw=1.5, ms=5, mec="white", label=label)


def _distribution(ax: Axes, curves: Mapping[str, Float[Tensor, " b"]]) -> None:
    for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
        x, fraction = _steps(values)
        ax.plot(x, fraction, color=colour, lw=1.6, drawstyle="steps-post", label=NORMS[name])
        ax.plot(x[-1:], fraction[-1:], "o", color=colour, ms=4)
    ax.set_ylim(0, 1.04)
    _log(ax, "x")
    _short_axis(ax, "x", 100.0, PERCENT)


def _steps(values: Float[Tensor, " b"]) -> tuple[np.ndarray, np.ndarray]:
    """The empirical distribution function; values that are not finite never arrive."""
    ordered = values[values.isfinite()].sort().values.numpy(force=True)
    fraction = np.arange(len(ordered) + 1) / len(values)
    return np.concatenate([ordered[:1], ordered]), fraction[: len(ordered) + bool(len(ordered))]


def _column(history: Sequence[Row], name: str) -> tuple[list[float], list[float]]:
    pairs = [(row["step"], row[name]) for row in history if row.get(name) is not None]
    return [float(step or 0) for step, _ in pairs], [float(value or 0) for _, value in pairs]


def _log(ax: Axes, axis: str) -> None:
    """Logarithmic, where there is anything positive to show."""
    least = ax.dataLim.minposx if axis == "x" else ax.dataLim.minposy
    if math.isfinite(least):
        ax.set(**{f"{axis}scale": "log"})


def _short_axis(ax: Axes, axis: str, factor: float, unit: str) -> None:
    """Logarithmic ticks as plain numbers, times a factor and with a unit; on less than two decades also at 2 and 5."""
    low, high = (ax.get_xlim if axis == "x" else ax.get_ylim)()
    along = ax.xaxis if axis == "x" else ax.yaxis
    if along.get_scale() != "log":
        return
    along.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 150 else (1.0,)))
    along.set_major_formatter(FuncFormatter(lambda value, _: f"{factor * value:g}{unit}"))
    along.set_minor_formatter(NullFormatter())
