"""A run in words."""

import pytest

from vcycle.jobs.portrait import boundary_words, parameter_words
from vcycle.problems import Burgers, Darcy
from vcycle.spaces import Domain


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (Domain.unit(1, "neumann"), "(0, 1), neumann on all faces"),
        (Domain([(-1.0, 1.0), 2.0], "periodic"), "(-1, 1) × (0, 2), periodic on all faces"),
        (Domain.unit(2, ["periodic", "dirichlet"]), "(0, 1) × (0, 1); x: periodic, y: dirichlet"),
    ],
)
def test_domains(domain, said):
    assert boundary_words(domain) == said


def test_problems():
    assert parameter_words(Darcy()) == "prior two phase: alpha 2, tau 3, low 3, high 12; source constant"
    ending = "accuracy 1e-06; warmup 0; refinement 1; viscosity 0.01; drift 0"
    assert parameter_words(Burgers()).endswith(ending)
