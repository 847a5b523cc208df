"""One look for all figures: size, colours, fonts, and how a figure becomes part of a page."""

import base64
from io import BytesIO
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Corner = Literal["best", "upper left", "lower right"]

WIDTH = 9.6
INK, SOFT, GRID = "#1f2933", "#5f6b7a", "#dfe4ea"
BLUE, ORANGE, GREEN, PURPLE = "#1f5a92", "#c8601a", "#2c7d5b", "#7a4e9a"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SOFT)
FIELD_MAP, ERROR_MAP, SIZE_MAP = "viridis", "RdBu_r", "cividis"


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure with its own canvas, unknown to pyplot."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def style(ax: Axes, title: str = "", x: str = "", y: str = "", grid: bool = True) -> Axes:
    """Titles to the left, thin axes, faint grid lines behind the data."""
    ax.set_title(title, loc="left", fontsize=10, color=INK, pad=7)
    ax.set_xlabel(x, fontsize=9, color=SOFT)
    ax.set_ylabel(y, fontsize=9, color=SOFT)
    ax.tick_params(labelsize=8, colors=SOFT, which="both", width=0.6, length=3)
    ax.tick_params(which="minor", length=1.5)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(SOFT)
        ax.spines[side].set_linewidth(0.6)
    if grid:
        ax.grid(True, color=GRID, linewidth=0.6)
        ax.set_axisbelow(True)
    return ax


def legend(ax: Axes, where: Corner = "best") -> None:
    """A legend without a box."""
    ax.legend(loc=where, frameon=False, fontsize=8.5, labelcolor=INK)


def embed(figure: Figure, kind: Literal["png", "svg"]) -> str:
    """The figure as a data URI; bytes depend on the figure alone."""
    buffer = BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=170, metadata=metadata)
    mime = "image/svg+xml" if kind == "svg" else "image/png"
    return f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
