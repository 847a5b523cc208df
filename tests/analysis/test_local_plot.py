"""The picture of where the error sits shows the shares it is given."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vcycle.analysis.local_plot import plot_local
from vcycle.spaces import Domain


def case(made, domain):
    one = made.example(domain, n=8).cases[0]
    return replace(one, local=torch.rand(2, *one.reference.shape[1:], generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_dimension_has_its_picture(made, dimension):
    figure = plot_local(case(made, Domain.unit(dimension)), Domain.unit(dimension))
    assert sum(bool(ax.images or ax.lines) for ax in figure.axes) == (1 if dimension == 1 else 2)


def test_maps_are_shares_of_the_whole_bound_in_the_same_colours(made):
    one = case(made, Domain.unit(2))
    error, bound = (ax.images[0] for ax in plot_local(one, Domain.unit(2)).axes if ax.images)
    expected = (one.local / one.local[1].sum()).sqrt().numpy()
    assert np.allclose(error.get_array(), expected[0].T) and np.allclose(bound.get_array(), expected[1].T)
    assert error.get_clim() == bound.get_clim()


def test_without_a_bound_there_is_no_picture(made):
    with pytest.raises(ValueError, match="no bound to show"):
        plot_local(made.example().cases[0], Domain.unit(2))
