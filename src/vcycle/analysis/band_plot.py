"""A picture of a band: reference and prediction on the middle line of a domain, and how far they may be apart."""

import numpy as np
import torch
from matplotlib.figure import Figure

from vcycle.analysis.canvas import BLUE, ROOM, SOFT, legend_above, new_figure, style
from vcycle.analysis.evaluation import Case
from vcycle.spaces import Domain, Grid, Placement


def plot_bands(cases: tuple[Case, ...], domain: Domain, placement: Placement, name: str, channel: int = 0) -> Figure:
    """Prediction ± band along x through the middle, one panel per case; an infinite band leaves its panel without."""
    figure = new_figure(2.8)
    panels = figure.subplots(1, len(cases), squeeze=False)[0]
    for ax, case in zip(panels, cases, strict=True):
        unknown = torch.full_like(case.prediction, torch.inf)
        fields = (case.reference, case.prediction, unknown if case.band is None else case.band)
        u, v, band = (field[channel].double().cpu().numpy() for field in fields)
        middle = (slice(None), *(n // 2 for n in u.shape[1:]))
        x = Grid(domain, u.shape, placement).axis(0).numpy()
        if np.isfinite(band).all() and np.isfinite(v).all():
            low, high = v[middle] - band[middle], v[middle] + band[middle]
            ax.fill_between(x, low, high, color=BLUE, alpha=0.18, lw=0, label="calibrated band")
        ax.plot(x, u[middle], color=SOFT, lw=3.2, alpha=0.45, label="reference", solid_capstyle="round")
        ax.plot(x, v[middle], color=BLUE, lw=1.2, label="prediction")
        style(ax, f"{name}: {case.title.split(':')[0]}", "x", pad=ROOM)
        legend_above(ax)
    return figure
