"""What a Domain accepts, refuses and writes down."""

import math

import pytest

from vcycle.spaces import Domain


def test_a_length_is_the_interval_from_zero():
    domain = Domain([2.0, (-1.0, 3.0)], ["periodic", ("dirichlet", "neumann")])
    assert domain.extents == ((0.0, 2.0), (-1.0, 3.0))
    assert domain.lengths == (2.0, 4.0)
    assert domain.boundary == (("periodic", "periodic"), ("dirichlet", "neumann"))
    assert domain.periodic(0) and not domain.periodic(1)


@pytest.mark.parametrize(
    ("boundary", "floating"),
    [("periodic", True), ("neumann", True), ("dirichlet", False), (["periodic", ("neumann", "dirichlet")], False)],
)
def test_floating_means_that_no_face_is_dirichlet(boundary, floating):
    assert Domain.unit(2, boundary).floating is floating


def test_a_torus_is_periodic_along_every_axis():
    assert Domain.unit(3, "periodic").torus
    assert not Domain.unit(2, ["periodic", "neumann"]).torus


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_to_dict_is_read_back(dimension):
    domain = Domain(
        [(0.0, 1.5), (-1.0, 2.0), 3.0][:dimension], ["periodic", ("neumann", "dirichlet"), "neumann"][:dimension]
    )
    assert Domain(**domain.to_dict()) == domain
    assert hash(Domain(**domain.to_dict())) == hash(domain)


@pytest.mark.parametrize(
    ("extents", "boundary", "words"),
    [
        ([1.0] * 4, "dirichlet", "1, 2 or 3 axes, got 4"),
        ([], "dirichlet", "1, 2 or 3 axes, got 0"),
        ([0.0], "dirichlet", "low < high, got 0"),
        ([(2.0, 1.0)], "dirichlet", "low < high"),
        ([math.nan], "dirichlet", "low < high"),
        ([math.inf], "dirichlet", "low < high"),
        ([(0.0, 1.0, 2.0)], "dirichlet", "low < high"),
        ([1.0], "robin", "unknown boundary condition 'robin'"),
        ([1.0, 1.0], ["dirichlet"], "1 boundary conditions for 2 axes"),
        ([1.0], [("dirichlet", "neumann", "neumann")], "a pair"),
        ([1.0], [("periodic", "neumann")], "periodic at both faces or at none"),
    ],
)
def test_refusals_name_what_was_given(extents, boundary, words):
    with pytest.raises(ValueError, match=words):
        Domain(extents, boundary)
