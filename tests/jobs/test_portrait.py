"""A run in words."""

import pytest

from vcycle.jobs.portrait import boundary_words
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
