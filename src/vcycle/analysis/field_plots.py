"""Pictures of functions: lines in 1-D, maps in 2-D, mid-planes in 3-D, with coordinates on the axes."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from vcycle.analysis.canvas import BLUE, ERROR_MAP, FIELD_MAP, GREEN, ORANGE, SIZE_MAP, SOFT, legend, new_figure, style
from vcycle.analysis.evaluation import Case
from vcycle.spaces import Domain, Grid, Placement

Values = Float[np.ndarray, "..."]
AXES = "xyz"
PANEL = 3.15
DECADES = 4


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
    return draw(inputs, name, u, v, domain, placement, units)


def _lines(
    inputs: list[tuple[str, Values]],
    name: str,
    u: Values,
    v: Values,
    domain: Domain,
    placement: Placement,
    units: Mapping[str, str],
) -> Figure:
    x = Grid(domain, u.shape, placement).axis(0).numpy()
    figure = new_figure(2.7)
    panels = figure.subplots(1, 3)
    drawn = zip(inputs, (GREEN, ORANGE, BLUE, SOFT), strict=False)
    for (label, values), colour in drawn:
        panels[0].plot(x, values, color=colour, lw=1.3, label=label)
    style(panels[0], "input " + ", ".join(_label(label, units) for label, _ in inputs), "x")
    if len(inputs) > 1:
        legend(panels[0])
    panels[1].plot(x, u, color=SOFT, lw=3.2, alpha=0.45, label="reference", solid_capstyle="round")
    panels[1].plot(x, v, color=BLUE, lw=1.2, label="prediction")
    style(panels[1], _label(name, units), "x")
    legend(panels[1])
    panels[2].axhline(0, color=SOFT, lw=0.6)
    panels[2].plot(x, v - u, color=ORANGE, lw=1.2)
    style(panels[2], _error_title(name, units), "x")
    panels[2].yaxis.set_major_formatter(_scientific())
    return figure


def _maps(
    inputs: list[tuple[str, Values]],
    name: str,
    u: Values,
    v: Values,
    domain: Domain,
    placement: Placement,
    units: Mapping[str, str],
) -> Figure:
    grid = Grid(domain, u.shape, placement)
    figure, axes = _grid_of_panels(len(inputs) + 4, domain.lengths[:2])
    for ax, (label, values) in zip(axes, inputs, strict=False):
        _map(ax, values, grid, (0, 1), f"input {_label(label, units)}", FIELD_MAP)
    rest = iter(axes[len(inputs) :])
    scale = _finite_scale(u)
    _map(next(rest), u, grid, (0, 1), f"reference {_label(name, units)}", FIELD_MAP, *scale)
    _map(next(rest), v, grid, (0, 1), f"prediction {_label(name, units)}", FIELD_MAP, *scale)
    _error_map(next(rest), v - u, grid, (0, 1), _error_title(name, units))
    _size_map(next(rest), v - u, u, grid, (0, 1), name)
    for ax in rest:
        _cut(ax, u, v, grid, name, units)
    return figure


def _planes(
    inputs: list[tuple[str, Values]],
    name: str,
    u: Values,
    v: Values,
    domain: Domain,
    placement: Placement,
    units: Mapping[str, str],
) -> Figure:
    grid = Grid(domain, u.shape, placement)
    figure, axes = _grid_of_panels(len(inputs) + 5, domain.lengths[:2])
    scale = _finite_scale(u)
    flat: list[tuple[str, Values, tuple[float, ...]]] = [
        *((f"input {_label(label, units)}", values, ()) for label, values in inputs),
        (f"reference {_label(name, units)}", u, scale),
        (f"prediction {_label(name, units)}", v, scale),
    ]
    for ax, (title, values, limits) in zip(axes, flat, strict=False):
        _map(ax, values[:, :, _middle(u, 2)], grid, (0, 1), f"{title}, {_position(grid, u, 2)}", FIELD_MAP, *limits)
    rest = iter(axes[len(flat) :])
    largest = _largest(v - u)
    for normal in (2, 1, 0):
        shown = tuple(axis for axis in range(3) if axis != normal)
        plane = (v - u).take(_middle(u, normal), axis=normal)
        _error_map(next(rest), plane, grid, shown, f"error, {_position(grid, u, normal)}", largest)
    for ax in rest:
        ax.set_axis_off()
    return figure


def _grid_of_panels(count: int, lengths: tuple[float, ...]) -> tuple[Figure, list[Axes]]:
    rows = math.ceil(count / 3)
    ratio = min(max(lengths[1] / lengths[0], 0.35), 1.6)
    figure = new_figure(rows * (0.55 + (PANEL - 0.75) * ratio))
    return figure, list(figure.subplots(rows, 3).flat)


def _map(
    ax: Axes,
    values: Values,
    grid: Grid,
    shown: tuple[int, ...],
    title: str,
    colours: str,
    low: float | None = None,
    high: float | None = None,
) -> AxesImage:
    """A map with equal aspect; every point is the middle of its pixel."""
    extent = []
    for axis in shown:
        start, stop = grid.domain.extents[axis]
        half = 0.0 if grid.placement == "cell" else 0.5 * grid.spacing[axis]
        extent += [start - half, stop + (-half if grid.domain.periodic(axis) else half)]
    norm = Normalize(low, high)
    image = ax.imshow(values.T, origin="lower", extent=tuple(extent), cmap=colours, norm=norm, interpolation="nearest")
    style(ax, title, AXES[shown[0]], AXES[shown[1]], grid=False)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.03, aspect=22)
    levels = np.unique(values)
    if len(levels) <= 3:
        bar.set_ticks(levels.tolist(), labels=[f"{level:g}" for level in levels])
    else:
        bar.locator = MaxNLocator(5)
        bar.formatter = _scientific()
    bar.ax.tick_params(labelsize=7.5, colors=SOFT, width=0.6, length=2.5)
    bar.ax.yaxis.get_offset_text().set(fontsize=7.5, color=SOFT)
    bar.outline.set_visible(False)
    return image


def _error_map(
    ax: Axes, error: Values, grid: Grid, shown: tuple[int, ...], title: str, largest: float | None = None
) -> None:
    """Signed, white at zero."""
    largest = _largest(error) if largest is None else largest
    _map(ax, error, grid, shown, title, ERROR_MAP, -largest, largest)


def _size_map(ax: Axes, error: Values, u: Values, grid: Grid, shown: tuple[int, ...], name: str) -> None:
    """log10 of |error| / max |u|, four decades deep."""
    size = np.log10(np.maximum(np.abs(error) / _largest(u), 1e-30))
    top = float(np.log10(_largest(error) / _largest(u)))
    _map(ax, size, grid, shown, f"log$_{{10}}$ |error| / max |{name}|", SIZE_MAP, top - DECADES, top)


def _cut(ax: Axes, u: Values, v: Values, grid: Grid, name: str, units: Mapping[str, str]) -> None:
    x, j = grid.axis(0).numpy(), _middle(u, 1)
    ax.plot(x, u[:, j], color=SOFT, lw=3.2, alpha=0.45, label="reference", solid_capstyle="round")
    ax.plot(x, v[:, j], color=BLUE, lw=1.2, label="prediction")
    style(ax, f"cut {_label(name, units)}, {_position(grid, u, 1)}", "x")
    ax.yaxis.set_major_formatter(_scientific())
    legend(ax)


def _middle(u: Values, axis: int) -> int:
    return u.shape[axis] // 2


def _position(grid: Grid, u: Values, axis: int) -> str:
    return f"{AXES[axis]} = {grid.axis(axis)[_middle(u, axis)].item():.3g}"


def _finite_scale(u: Values) -> tuple[float, float]:
    finite = u[np.isfinite(u)]
    return float(np.min(finite)), float(np.max(finite))


def _largest(values: Values) -> float:
    """A positive scale for values that may all be zero, or not be numbers."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.max(finite, initial=0.0)) or 1.0


def _label(name: str, units: Mapping[str, str]) -> str:
    return f"{name} [{units[name]}]" if units.get(name) else name


def _error_title(name: str, units: Mapping[str, str]) -> str:
    return f"error: prediction − reference{f' [{units[name]}]' if units.get(name) else ''}"


def _scientific() -> ScalarFormatter:
    formatter = ScalarFormatter(useMathText=True)
    formatter.set_powerlimits((-2, 4))
    return formatter
