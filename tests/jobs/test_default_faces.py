"""A default boundary goes on along further axes."""

from vcycle.jobs.config import GenerateConfig
from vcycle.jobs.configure import resolve
from vcycle.problems import build


def faces(**problem):
    options = {"problem": {"name": "elasticity"} | problem, "samples": 1, "resolution": 8, "out": "x"}
    return build(resolve(GenerateConfig, options).problem.plain()).domain.boundary


def test_a_body_is_clamped_at_one_end_in_two_and_three_dimensions():
    clamped, free = ("dirichlet", "neumann"), ("neumann", "neumann")
    assert faces() == (clamped, free)
    assert faces(dimension=3) == faces(extents=[2.0, 1.0, 1.0]) == (clamped, free, free)
    assert faces(dimension=3, boundary=["periodic", "dirichlet", "periodic"])[1] == ("dirichlet", "dirichlet")
