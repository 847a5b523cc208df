"""Where the error sits, and where the bound says it does."""

import numpy as np
from matplotlib.figure import Figure

from vcycle.analysis.canvas import BLUE, ORANGE, ROOM, SIZE_MAP, legend_above, new_figure, style
from vcycle.analysis.evaluation import Case
from vcycle.analysis.field_plots import draw_map, mid_plane
from vcycle.spaces import Domain, Grid

TITLES = ("energy error of each cell", "what the bound says of it")


def plot_local(case: Case, domain: Domain) -> Figure:
    """Energy error and bound of every cell as shares of the whole bound: lines in 1-D, maps with equal colours.

    Raises ValueError for a case without a bound.
    """
    if case.local is None:
        raise ValueError("this case has no bound to show cell by cell")
    error, bound = (np.sqrt(field.double().cpu().numpy()) for field in case.local)
    whole = float(np.sqrt(np.square(bound).sum())) or 1.0
    grid, shares = Grid(domain, error.shape), [error / whole, bound / whole]
    if domain.dimension == 1:
        figure = new_figure(2.5)
        ax = figure.subplots(1, 1)
        for share, title, colour in zip(shares, TITLES, (ORANGE, BLUE), strict=True):
            ax.plot(grid.axis(0).numpy(), share, color=colour, lw=1.3, label=title)
        style(ax, "share of the bound", "x", pad=ROOM)
        legend_above(ax)
        return figure
    figure = new_figure(2.9)
    ends = (0.0, float(max(mid_plane(share).max() for share in shares)) or 1.0)
    for ax, share, title in zip(figure.subplots(1, 2), shares, TITLES, strict=True):
        draw_map(ax, mid_plane(share), grid, (0, 1), title, colours=SIZE_MAP, ends=ends)
    return figure
