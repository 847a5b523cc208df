"""The table of benchmarks/networks.csv as a picture, docs/images/networks.png, and printed as Markdown.

python benchmarks/networks_plot.py
"""

import statistics
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from machine import read_table
from vcycle.analysis.canvas import BLUE, GRID, INK, ORANGE, SOFT, new_figure, style

HOME = Path(__file__).parent

Row = dict[str, str]


def main() -> None:
    rows = read_table("networks.csv")
    cases = list(dict.fromkeys((row["problem"], row["resolution"]) for row in rows))
    columns = 2 if len(cases) <= 4 else 3
    lines = -(-len(cases) // columns)
    figure = new_figure(3.7 * lines, 4.2 * columns)
    panels = figure.subplots(lines, columns, squeeze=False).flat
    for (problem, n), ax in zip(cases, panels, strict=False):
        draw(ax, [row for row in rows if (row["problem"], row["resolution"]) == (problem, n)])
        style(ax, f"{problem.replace('_', ' ')}, {n} points per axis", "relative error", grid=False)
    for ax in list(panels):
        ax.set_axis_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=4, frameon=False, fontsize=9, labelcolor=INK)
    figure.savefig(HOME.parent / "docs" / "images" / "networks.png", dpi=130)
    print(markdown(rows, cases))


def markdown(rows: list[Row], cases: list[tuple[str, str]]) -> str:
    """Relative H1 (L2) errors in percent, a line per network and a column per case, the best of a column bold."""
    found = {(row["network"], row["problem"], row["resolution"]): row for row in rows}
    best = {
        case: min((row for key, row in found.items() if key[1:] == case), key=lambda r: float(r["h1"]))
        for case in cases
    }
    lines = ["| network | " + " | ".join(f"{name.replace('_', ' ')} {n}" for name, n in cases) + " |"]
    lines.append("|---" * (len(cases) + 1) + "|")
    for network in sorted({row["network"] for row in rows}, key=lambda name: typical(name, rows)):
        cells = []
        for case in cases:
            row = found.get((network, *case))
            words = "" if row is None else f"{100 * float(row['h1']):.1f} ({100 * float(row['l2']):.1f})"
            cells.append(f"**{words}**" if row is best[case] else words)
        lines.append(f"| {network} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def typical(network: str, rows: list[Row]) -> float:
    """The geometric mean of its H1 errors."""
    return statistics.geometric_mean(float(row["h1"]) for row in rows if row["network"] == network)


def draw(ax: Axes, rows: list[Row]) -> None:
    """Errors of every network, the smallest H1 error on top."""
    rows = sorted(rows, key=lambda row: float(row["h1"]), reverse=True)
    places = range(len(rows))
    for name, label, colour in (("h1", "H$^1$", ORANGE), ("l2", "L$^2$", BLUE)):
        values = [float(row[name]) for row in rows]
        ax.plot(values, places, "o", ms=5, color=colour, label=f"{label} error")
        double = [(float(row[f"{name}_double"]), place) for row, place in zip(rows, places, strict=True)]
        hollow = {"mfc": "none", "mew": 0.9, "label": f"{label}, twice as fine"}
        ax.plot(*zip(*double, strict=True), "o", ms=5, color=colour, **hollow)
    ax.hlines(places, 0, 1, transform=ax.get_yaxis_transform(), color=GRID, lw=0.6, zorder=0)
    ax.set_xscale("log")
    ax.set_yticks(places, [row["network"] for row in rows])
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_color(SOFT)


if __name__ == "__main__":
    main()
