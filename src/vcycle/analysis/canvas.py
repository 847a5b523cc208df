"""One look for all figures: size, colours, fonts, and how a figure becomes part of a page."""

import base64
from io import BytesIO
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH = 9.6
INK, SOFT, GRID = "#1f2933", "#5f6b7a", "#dfe4ea"
BLUE, ORANGE, GREEN, PURPLE = "#1f5a92", "#c8601a", "#2c7d5b", "#7a4e9a"
ROOM = 21
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SOFT)
FIELD_MAP, ERROR_MAP, SIZE_MAP = "viridis", "RdBu_r", "cividis"


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure with its own canvas, unknown to pyplot."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def style(ax: Axes, title: str = "", x: str = "", y: str = "", *, grid: bool = True, pad: int = 7) -> Axes:
    """Titles to the left, thin axes, faint grid lines behind the data; pad ROOM leaves a line for `legend_above`."""
    ax.set_title(title, loc="left", fontsize=10, color=INK, pad=pad)
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


def legend_above(ax: Axes) -> None:
    """A legend in a line between title and axes, where it can hide nothing."""
    ax.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False, fontsize=8, labelcolor=SOFT,
        borderaxespad=0.2, borderpad=0.1, handlelength=1.4, handletextpad=0.5, columnspacing=1.2,
    )  # fmt: skip


def embed(figure: Figure, kind: Literal["png", "svg"]) -> str:
    """The figure as a data URI, without a date in it."""
    buffer = BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=170, metadata=metadata)
    mime = "image/svg+xml" if kind == "svg" else "image/png"
    return f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
