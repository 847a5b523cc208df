"""Pictures of functions: lines in 1-D, maps in 2-D, mid-planes in 3-D, with coordinates on the axes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from vcycle.analysis.canvas import (
    BLUE,
    COLOURS,
    ERROR_MAP,
    FIELD_MAP,
    ORANGE,
    ROOM,
    SIZE_MAP,
    SOFT,
    legend_above,
    new_figure,
    style,
)
from vcycle.analysis.evaluation import Case
from vcycle.spaces import Domain, Grid, Placement

Values = Float[np.ndarray, "..."]
AXES = "xyz"
ROUND = [1, 2, 2.5, 5, 10]


def plot_case(
    case: Case,
    domain: Domain,
    placement: Placement,
    input_names: tuple[str, ...],
    output_names: tuple[str, ...],
    units: Mapping[str, str],
    channel: int = 0,
) -> Figure:
    """Inputs, reference, prediction and error of one sample and one output channel."""
    inputs = [(name, values.double().cpu().numpy()) for name, values in zip(input_names, case.inputs, strict=True)]
    name = output_names[channel]
    u, v = (field[channel].double().cpu().numpy() for field in (case.reference, case.prediction))
    draw = (_lines, _maps, _planes)[domain.dimension - 1]
    return draw(Shown(inputs, name, u, v, Grid(domain, u.shape, placement), units))


@dataclass(frozen=True)
class Shown:
    """Inputs by name and one output channel of a sample, as the solver says (u) and as the network does (v)."""

    inputs: list[tuple[str, Values]]
    name: str
    u: Values
    v: Values
    grid: Grid
    units: Mapping[str, str]

    def unit_of(self, name: str) -> str:
        return self.units.get(name, "")


def _lines(shown: Shown) -> Figure:
    inputs, name, u, v, grid = shown.inputs, shown.name, shown.u, shown.v, shown.grid
    x, unit_of = grid.axis(0).numpy(), shown.unit_of
    figure = new_figure(2.8)
    panels = figure.subplots(1, 3)
    factors = [_factor(values, unit_of(label)) for label, values in inputs]
    labels = [f"{label}{unit}" for (label, _), (_, unit) in zip(inputs, factors, strict=True)]
    for (_, values), (factor, _), label, colour in zip(inputs, factors, labels, COLOURS, strict=False):
        panels[0].plot(x, values / factor, color=colour, lw=1.3, label=label)
    style(panels[0], f"input {labels[0]}" if len(inputs) == 1 else "inputs", "x", pad=ROOM)
    if len(inputs) > 1:
        legend_above(panels[0])
    _pair(panels[1], x, u, v, name, unit_of(name), ROOM)
    legend_above(panels[1])
    factor, unit = _factor(v - u, unit_of(name))
    panels[2].axhline(0, color=SOFT, lw=0.6)
    panels[2].plot(x, (v - u) / factor, color=ORANGE, lw=1.2, label=f"prediction − reference{unit}")
    style(panels[2], "error", "x", pad=ROOM)
    legend_above(panels[2])
    return figure


def _maps(shown: Shown) -> Figure:
    inputs, name, u, v, grid = shown.inputs, shown.name, shown.u, shown.v, shown.grid
    unit_of, lengths = shown.unit_of, grid.domain.lengths
    unit = unit_of(name)
    figure, axes = _panels(len(inputs) + 4, lengths)
    for ax, (label, values) in zip(axes, inputs, strict=False):
        draw_map(ax, values, grid, (0, 1), f"input {label}", unit_of(label))
    rest = iter(axes[len(inputs) :])
    draw_map(next(rest), u, grid, (0, 1), f"reference {name}", unit, like=u)
    draw_map(next(rest), v, grid, (0, 1), f"prediction {name}", unit, like=u)
    draw_map(next(rest), v - u, grid, (0, 1), "prediction − reference", unit, ERROR_MAP)
    size = np.log10(np.maximum(np.abs(v - u), 1e-30) / _largest(u))
    top = float(np.log10(_largest(v - u) / _largest(u)))
    draw_map(
        next(rest), size, grid, (0, 1), f"log$_{{10}}$ |error| / max |{name}|", colours=SIZE_MAP, ends=(top - 4, top)
    )
    for ax in rest:
        ax.set_axis_off()
    if (len(inputs) + 4) % 3:  # a panel is left in the last row
        middle, cut = u.shape[1] // 2, axes[len(inputs) + 4]
        cut.set_axis_on()
        _pair(cut, grid.axis(0).numpy(), u[:, middle], v[:, middle], f"{name} at {_position(grid, u, 1)}", unit)
        cut.set_box_aspect(_ratio(lengths))
        cut.legend(frameon=False, fontsize=8, labelcolor=SOFT)
    return figure


def _planes(shown: Shown) -> Figure:
    inputs, name, u, v, grid = shown.inputs, shown.name, shown.u, shown.v, shown.grid
    unit_of = shown.unit_of
    unit = unit_of(name)
    figure, axes = _panels(len(inputs) + 5, grid.domain.lengths)
    middle = u.shape[2] // 2
    rest = iter(axes)
    for label, values in inputs:
        title = f"input {label} at {_position(grid, u, 2)}"
        draw_map(next(rest), values[:, :, middle], grid, (0, 1), title, unit_of(label))
    for label, values in (("reference", u), ("prediction", v)):
        title = f"{label} {name} at {_position(grid, u, 2)}"
        draw_map(next(rest), values[:, :, middle], grid, (0, 1), title, unit, like=u)
    for normal in (2, 1, 0):
        plane_axes = tuple(axis for axis in range(3) if axis != normal)
        plane = (v - u).take(u.shape[normal] // 2, axis=normal)
        draw_map(
            next(rest), plane, grid, plane_axes, f"error at {_position(grid, u, normal)}", unit, ERROR_MAP, like=v - u
        )
    for ax in rest:
        ax.set_axis_off()
    return figure


def _panels(count: int, lengths: tuple[float, ...]) -> tuple[Figure, list[Axes]]:
    rows = math.ceil(count / 3)
    figure = new_figure(rows * (0.85 + 2.2 * _ratio(lengths)))
    return figure, list(figure.subplots(rows, 3).flat)


def _ratio(lengths: tuple[float, ...]) -> float:
    """Height over width of a map, within what a page can show."""
    return min(max(lengths[1] / lengths[0], 0.3), 1.6)


def draw_map(
    ax: Axes,
    values: Values,
    grid: Grid,
    shown: tuple[int, ...],
    title: str,
    unit: str = "",
    colours: str = FIELD_MAP,
    *,
    like: Values | None = None,
    ends: tuple[float, float] | None = None,
) -> None:
    """A map with equal aspect; every point is the middle of its pixel. Colours span `ends`, or the values of `like`."""
    like = values if like is None else like
    factor, unit = _factor(like, unit) if ends is None else (1.0, unit)
    if ends is None:
        largest = _largest(like)
        ends = (-largest, largest) if colours == ERROR_MAP else _range(like)
    extent = []
    for axis in shown:
        start, stop = grid.domain.extents[axis]
        half = 0.0 if grid.placement == "cell" else 0.5 * grid.spacing[axis]
        extent += [start - half, stop + (-half if grid.domain.periodic(axis) else half)]
    norm = Normalize(ends[0] / factor, ends[1] / factor)
    image = ax.imshow(
        values.T / factor, origin="lower", extent=tuple(extent), cmap=colours, norm=norm, interpolation="nearest"
    )
    style(ax, f"{title}{unit}", AXES[shown[0]], AXES[shown[1]], grid=False)
    for along in (ax.xaxis, ax.yaxis):
        along.set_major_locator(MaxNLocator(4, steps=ROUND))
        along.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.04, 0.0, 0.045, 1.0)))
    levels = np.unique(values / factor)
    ticks = levels if len(levels) <= 3 else MaxNLocator(5, steps=ROUND).tick_values(*bar.ax.get_ylim())
    low, high = bar.ax.get_ylim()
    bar.set_ticks([tick for tick in ticks if low <= tick <= high])
    bar.formatter = FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−"))
    bar.ax.tick_params(labelsize=7.5, colors=SOFT, width=0.6, length=2.5)
    bar.outline.set_visible(False)


def mid_plane(values: Values) -> Values:
    """A field in the plane, or the middle of one in space."""
    return values if values.ndim == 2 else values[:, :, values.shape[2] // 2]


def _pair(ax: Axes, x: Values, u: Values, v: Values, title: str, unit: str, pad: int = 7) -> None:
    """Reference and prediction as lines."""
    factor, unit = _factor(u, unit)
    ax.plot(x, u / factor, color=SOFT, lw=3.2, alpha=0.45, label="reference", solid_capstyle="round")
    ax.plot(x, v / factor, color=BLUE, lw=1.2, label="prediction")
    style(ax, f"{title}{unit}", "x", pad=pad)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=ROUND))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _position(grid: Grid, u: Values, axis: int) -> str:
    return f"{AXES[axis]} = {grid.axis(axis)[u.shape[axis] // 2].item():.3g}"


def _range(values: Values) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return float(np.min(finite)), float(np.max(finite))


def _largest(values: Values) -> float:
    """A positive scale for values that may all be zero, or not be numbers."""
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0)) or 1.0


def _factor(values: Values, unit: str) -> tuple[float, str]:
    """A power of ten to divide by, and how to say so: 0.0123 Pa is 1.23 ' [10^-2 Pa]'."""
    exponent = math.floor(math.log10(_largest(values)))
    if -1 <= exponent <= 3:
        return 1.0, f" [{unit}]" if unit else ""
    return 10.0**exponent, f" [10$^{{{exponent}}}${f' {unit}' if unit else ''}]"
