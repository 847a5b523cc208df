import numpy as np
import pytest
import torch

from vcycle.data import DataError, require_same_domain
from vcycle.data.checks import require_boundary, require_no_repeated_end, require_numbers, require_single_precision
from vcycle.spaces import Domain, Grid


@pytest.mark.parametrize(
    "array", [np.ones(2), np.ones(2, bool), np.ones(2, np.int8), np.ones(2, ">f4"), np.ones(2, "f2")]
)
def test_real_finite_numbers_pass(array):
    require_numbers(array, "x")


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.ones(2, complex), "x is complex: store its real and imaginary parts as two fields"),
        (np.zeros(2, [("real", "f8"), ("imag", "f8")]), "x is complex"),
        (np.array(["a"]), "x has the type <U1, which is not a number"),
        (
            np.array([[0, 1], [np.nan, np.inf], [np.nan, 0]]),
            "x has 3 NaN or infinite values, first in sample 1: remove",
        ),
    ],
)
def test_anything_else_is_refused(array, sentence):
    with pytest.raises(DataError, match=sentence):
        require_numbers(array, "x")


def vertices(domain: Domain, shape: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    return Grid(domain, shape, "vertex").mesh()


def test_dirichlet_vertices_must_hold_the_boundary_value():
    domain = Domain([1.0, 2.0], [("dirichlet", "neumann"), "dirichlet"])
    x, y = vertices(domain, (9, 11))
    u = (x * y * (2 - y))[None, None]
    require_boundary(u, ("u",), domain, "data.npz")
    with pytest.raises(
        DataError, match=r"data.npz: 'u' reaches 0.1 on the low x face, where the domain says dirichlet"
    ):
        require_boundary(u + 0.1, ("u",), domain, "data.npz")
    with pytest.raises(DataError, match=r"'u' reaches .* on the high y face"):
        require_boundary((x * y)[None, None], ("u",), domain, "data.npz")


def test_periodic_vertices_leave_the_right_end_out():
    domain = Domain([1.0, 1.0], ["neumann", "periodic"])
    x, y = vertices(domain, (5, 8))
    u = (x + torch.sin(2 * torch.pi * y + 0.3))[None, None]
    require_no_repeated_end(u, domain, "data.npz")
    require_no_repeated_end(torch.ones_like(u), domain, "data.npz")  # a constant repeats everything
    with pytest.raises(DataError, match=r"along y the last point repeats the first .* drop the last point"):
        require_no_repeated_end(torch.cat([u, u[..., :1]], -1), domain, "data.npz")


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (Domain.unit(3), "the data have 2 axes, the network has 3: build the network for"),
        (Domain.unit(2, ["dirichlet", "periodic"]), r"data are dirichlet\|dirichlet along y, the network is periodic"),
        (
            Domain([1.0, 2.0]),
            r"the data lie on \(0.0, 1.0\) along y, the network on \(0.0, 2.0\): build the network for",
        ),
    ],
)
def test_different_domains_are_refused(other, sentence):
    require_same_domain(Domain.unit(2), Domain.unit(2))
    with pytest.raises(DataError, match=sentence):
        require_same_domain(Domain.unit(2), other)


def test_different_placements_are_refused():
    with pytest.raises(DataError, match="the data are vertex values, the problem works on cell values"):
        require_same_domain(Domain.unit(2), Domain.unit(2), "problem", ("vertex", "cell"))


@pytest.mark.parametrize("array", [np.array([[1e39], [0.0]]), np.array([[0.0], [-1e39]])])
def test_numbers_beyond_single_precision_are_refused(array):
    with pytest.raises(DataError, match=r"'u' has values up to 1e\+39, networks hold numbers up to 3e\+38: use other"):
        require_single_precision(array, "'u'")
    for kind in ("int8", "bool", "float32", "longdouble"):
        require_single_precision(np.ones((2, 3), kind), "'u'")
    require_single_precision(np.ones((0, 3)), "'u'")
