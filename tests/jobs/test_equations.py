"""The verbs for equations without an energy norm: everything but what needs the bound, which is refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vcycle.data import Dataset, generate
from vcycle.jobs import evaluate, predict, solve, train
from vcycle.problems import Burgers, Helmholtz, NavierStokes, Poisson

TINY = {
    "network": {"name": "fno", "width": 4, "depth": 1, "modes": 4},
    "steps": 4,
    "batch": 4,
    "accelerator": "cpu",
    "threads": 1,
}
PROBLEMS = {
    "burgers": Burgers(time=0.2),
    "navier_stokes": NavierStokes(time=0.5, history=2, snapshots=3),
    "helmholtz": Helmholtz(omega=6.0),
}


@pytest.fixture(scope="module", params=PROBLEMS)
def made(request, tmp_path_factory) -> tuple[Path, Path]:
    """Data, and a run on them."""
    folder = tmp_path_factory.mktemp(request.param)
    generate(PROBLEMS[request.param], 12, 8, 0, folder / "data", workers=1, verify_every=6, progress=False)
    train(TINY, data=str(folder / "data"), out=str(folder / "run"))
    return folder / "data", folder / "run"


def test_generated_data_are_verified(made):
    data = Dataset.open(made[0])
    problem, verification = data.build_problem(), data.manifest.verification
    assert problem == PROBLEMS[problem.name]
    assert (data.input_names, data.output_names) == (problem.input_names, problem.output_names)
    assert verification.samples_compared == 2
    assert verification.residual_worst < verification.residual_limit == 10 * problem.tolerance
    assert verification.difference_worst < verification.difference_limit == problem.agreement


def test_evaluation_without_bounds(made):
    evaluate(made[1], made[0])
    found = json.loads((made[1] / "evaluation.json").read_text("utf-8"))
    assert found["bounds"] == []
    assert "energy" not in json.dumps(found["tests"])
    assert len(found["resolutions"]) == 3
    assert found["facts"]["equation"]
    assert (made[1] / "report.html").stat().st_size > 10_000


def test_prediction_claims_nothing_and_solving_is_for_problems_without_time(made):
    inputs = Dataset.open(made[0]).read([0, 1]).inputs.numpy()
    answer = predict(made[1], inputs)
    assert answer.prediction.kind == "none"
    assert "no error bound" in answer.report
    if Dataset.open(made[0]).build_problem().times:
        with pytest.raises(ValueError, match=r"runs in time.* use march, that is --steps"):
            solve(made[1], inputs)
    else:
        solved = solve(made[1], inputs)
        assert solved.verified and solved.solution.kind == "residual"


@pytest.mark.parametrize(("loss", "lacking"), [("bound", "a guaranteed bound"), ("energy", "a convex energy")])
def test_losses_that_need_what_an_equation_lacks_are_refused(made, loss, lacking, tmp_path):
    with pytest.raises(ValueError, match=f"loss {loss} needs {lacking}, which .* lacks here: use loss h1, l2"):
        train(TINY, data=str(made[0]), out=str(tmp_path / "run"), loss=loss)
    assert not (tmp_path / "run").exists()


def test_training_on_an_equation_of_evolution(tmp_path):
    problem = {"name": "burgers", "time": 0.2, "viscosity": 0.05}
    train(TINY, problem=problem, resolution=16, validation_samples=4, out=str(tmp_path / "run"))
    assert evaluate(tmp_path / "run", samples=4).evaluation.tests[0].samples == 4


def test_poisson_has_all_that_diffusion_has(tmp_path):
    run = tmp_path / "run"
    train(TINY, problem="poisson", resolution=8, validation_samples=4, loss="bound", out=str(run))
    evaluation = evaluate(run, samples=3).evaluation
    assert len(evaluation.bounds) == 2
    f = Poisson().sample((8, 8), 5, range(2))
    assert solve(run, f.numpy()).verified
    assert predict(run, np.asarray(f)).prediction.kind == "guaranteed"
    assert torch.isfinite(predict(run, f.numpy()).prediction.value).all()
