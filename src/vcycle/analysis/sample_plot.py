"""A picture of one sample of a problem: what is given and what is sought."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from vcycle.analysis.canvas import BLUE, COLOURS, ROOM, legend_above, new_figure, style
from vcycle.analysis.field_plots import draw_map, mid_plane
from vcycle.spaces import Domain, Grid, Placement

MOST = 4  # maps in a row


def plot_sample(
    inputs: Float[Tensor, "i *grid"],
    outputs: Float[Tensor, "o *grid"],
    domain: Domain,
    input_names: Sequence[str],
    output_names: Sequence[str],
    placement: Placement = "cell",
) -> Figure:
    """Inputs and outputs: lines in 1-D, maps in 2-D, mid-planes in 3-D; of long lists the first and the last."""
    fields = [values.double().cpu().numpy() for values in (inputs, outputs)]
    grid = Grid(domain, fields[0].shape[1:], placement)
    if domain.dimension == 1:
        return _lines(fields, grid, (input_names, output_names))
    shown = [(f"given: {name}", values) for name, values in _ends(input_names, fields[0], 2)]
    shown += [(f"sought: {name}", values) for name, values in _ends(output_names, fields[1], MOST - len(shown))]
    figure = new_figure(2.5 if domain.lengths[1] <= domain.lengths[0] else 3.6, 3.1 * MOST)
    for ax, (title, values) in zip(figure.subplots(1, MOST), shown + [("", None)] * MOST, strict=False):
        if values is None:
            ax.set_axis_off()
        else:
            draw_map(ax, mid_plane(values), grid, (0, 1), title)
    return figure


def _lines(fields: list[Float[np.ndarray, "c n"]], grid: Grid, names: tuple[Sequence[str], Sequence[str]]) -> Figure:
    x = grid.axis(0).numpy()
    figure = new_figure(2.5)
    for ax, title, values, labels in zip(figure.subplots(1, 2), ("given", "sought"), fields, names, strict=True):
        lines = _ends(labels, values, MOST)
        for (label, line), colour in zip(lines, COLOURS if len(lines) > 1 else (BLUE,), strict=False):
            ax.plot(x, line, color=colour, lw=1.3, label=label)
        style(ax, title, "x", pad=ROOM)
        legend_above(ax)
    return figure


def _ends(names: Sequence[str], values: Float[np.ndarray, "c *grid"], most: int) -> list[tuple[str, np.ndarray]]:
    """All channels, or of more than `most` the first ones and the last."""
    chosen = range(len(names)) if len(names) <= most else [*range(most - 1), len(names) - 1]
    return [(names[i], values[i]) for i in chosen]
