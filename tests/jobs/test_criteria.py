"""Which losses there are for which problem, and that every one of them can be trained with."""

import csv
import math

import pytest

from vcycle.jobs import train
from vcycle.jobs.criteria import losses_of
from vcycle.problems import Burgers, Darcy, Elasticity, Helmholtz, MinimalSurface, PLaplacian, Stokes
from vcycle.spaces import Domain

LABELLED = {"h1", "l2"}
OF_ENERGIES = LABELLED | {"energy", "ritz", "strong_residual", "dual_residual", "preconditioned_residual"}
KNOWN = {
    "darcy": (Darcy(), OF_ENERGIES | {"bound"}),
    "p_laplacian": (PLaplacian(), OF_ENERGIES | {"bound"}),
    "minimal_surface": (MinimalSurface(), OF_ENERGIES | {"bound"}),
    "elasticity": (Elasticity(), OF_ENERGIES | {"bound"}),
    "a pulled body": (Elasticity(force="traction"), OF_ENERGIES | {"bound"}),
    "stokes": (Stokes(), LABELLED | {"bound", "preconditioned_residual"}),
    "a lid": (Stokes(drive="lid"), LABELLED | {"preconditioned_residual"}),
    "helmholtz": (Helmholtz(omega=6.0), LABELLED),
    "burgers": (Burgers(time=0.2), LABELLED),
}
TINY = {"network": {"name": "fno", "width": 4, "depth": 1, "modes": 4}, "steps": 3, "batch": 2, "accelerator": "cpu"}


@pytest.mark.parametrize("name", KNOWN)
def test_a_problem_has_the_losses_that_its_equation_allows(name):
    problem, names = KNOWN[name]
    assert set(losses_of(problem)) == names


def test_in_three_dimensions_pulled_bodies_have_an_energy_and_no_bound():
    problem = Elasticity(Domain.unit(3, [("dirichlet", "neumann"), "neumann", "neumann"]), force="traction")
    assert set(losses_of(problem)) == OF_ENERGIES


@pytest.mark.parametrize(
    ("problem", "loss"),
    [
        ("elasticity", "bound"),
        ("elasticity", "energy"),
        ("anisotropic_darcy", "bound"),
        ("anisotropic_darcy", "ritz"),
        ("p_laplacian", "bound"),
        ("minimal_surface", "dual_residual"),
        ("semilinear", "strong_residual"),
        ("stokes", "bound"),
        ("stokes", "preconditioned_residual"),
    ],
)
def test_training_runs_on_the_equation_alone(problem, loss, tmp_path):
    given = {"problem": problem, "resolution": 8, "validation_samples": 2, "loss": loss, "out": str(tmp_path / "run")}
    result = train(TINY, **given)
    assert result.ended == "finished"
    with (tmp_path / "run" / "log.csv").open() as log:
        losses = [float(row["validation_loss"]) for row in csv.DictReader(log) if row["validation_loss"]]
    assert len(losses) > 1 and all(map(math.isfinite, losses))


def test_what_is_missing_is_said_with_what_there_is(tmp_path):
    words = (
        "loss ritz needs a convex energy, which Stokes flow lacks here: use loss h1, l2, preconditioned_residual, bound"
    )
    with pytest.raises(ValueError, match=words):
        train(TINY, problem="stokes", resolution=8, validation_samples=2, loss="ritz", out=str(tmp_path / "run"))
