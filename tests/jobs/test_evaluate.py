"""Evaluation end to end: what is written is what an independent computation finds, and nothing more is claimed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from vcycle.data import DataError, Dataset, generate
from vcycle.jobs import evaluate, train
from vcycle.jobs.effectivities import bounds
from vcycle.jobs.tasks import derived_seed, solved
from vcycle.problems import Darcy, LogNormal
from vcycle.spaces import L2, Domain, Energy
from vcycle.surrogate import load

TINY = {
    "network": {"name": "mgno", "width": 6, "depth": 2, "levels": 3},
    "steps": 16,
    "batch": 4,
    "validation_samples": 4,
    "validate_every": 8,
    "optimizer": {"lr": 5e-3},
    "accelerator": "cpu",
    "threads": 1,
}
SAMPLES = 6


def strict(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"), parse_constant=lambda word: pytest.fail(f"{word} in JSON"))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Trained on the equation."""
    folder = tmp_path_factory.mktemp("runs") / "equation"
    train(TINY, problem="darcy", resolution=16, loss="bound", out=str(folder))
    return folder


@pytest.fixture(scope="module")
def found(run) -> dict:
    """Its evaluation, as written."""
    evaluate(run, samples=SAMPLES, machine="a laptop")
    return strict(run / "evaluation.json")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    generate(Darcy(prior=LogNormal()), 40, 16, 3, folder, workers=1, dtype="float32", progress=False)
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """Pairs whose equation nobody knows, on two grids, vertices."""
    folder, random = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    for name, count, n in (("train", 24, 16), ("test", 5, 16), ("test_32", 3, 32)):
        x = random.standard_normal((count, n, n)).astype(np.float32)
        np.savez(folder / f"{name}.npz", x=x, y=np.tanh(x) + np.roll(x, 1, 1))
    settings = {
        "name": "measured",
        "files": {name: f"{name}.npz" for name in ("train", "test", "test_32")},
        "inputs": ["x"],
        "outputs": ["y"],
        "domain": {"extents": [1.0, 1.0], "boundary": "periodic"},
        "units": {"y": "Pa"},
    }
    (folder / "own.yaml").write_text(yaml.safe_dump(settings))
    return folder / "own.yaml"


@pytest.fixture(scope="module")
def evaluated(own, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "own"
    train(TINY, data=str(own), out=str(folder))
    return folder, evaluate(folder)


@pytest.fixture
def without_pictures(monkeypatch) -> None:
    """Pictures take most of the time of an evaluation; one test of each kind looks at the page."""
    monkeypatch.setattr("vcycle.jobs._evaluate.write_report", lambda evaluation, path: None)


class TestOnTheEquation:
    def test_the_errors_are_those_of_an_independent_computation(self, run, found):
        problem = Darcy()
        a = problem.sample((16, 16), derived_seed(0, "test"), range(SAMPLES))
        u, v = problem.solve(a).value, load(run).network(a.float()).double().detach()
        values = found["tests"][0]["values"]
        assert values["l2"] == pytest.approx(L2(problem.domain).relative(v, u).tolist(), rel=1e-9)
        assert values["energy"] == pytest.approx(Energy(problem.domain, a).relative(v, u).tolist(), rel=1e-9)

    def test_both_forms_of_the_bound_hold_and_are_sharp(self, found):
        discrete, continuum = found["bounds"]
        assert (discrete["form"], continuum["form"]) == ("discrete", "continuum")
        for bound in (discrete, continuum):
            assert bound["kind"] == "guaranteed"
            assert bound["violations"] == 0
            assert bound["ratio"]["least"] >= 1 and bound["ratio"]["worst"] < 3
        assert discrete["slack"] < 1e-6 and continuum["slack"] < 0.05
        assert discrete["values"]["error"] == pytest.approx(
            [e * s for e, s in zip(found["tests"][0]["values"]["energy"], discrete["values"]["size"], strict=True)]
        )

    def test_other_grids_are_half_and_double(self, found):
        rows = {tuple(row["shape"]): row for row in found["resolutions"]}
        assert list(rows) == [(8, 8), (16, 16), (32, 32)]
        assert rows[(16, 16)]["network"]["samples"] == SAMPLES
        assert rows[(16, 16)]["network"]["worst"] == pytest.approx(found["tests"][0]["summary"]["l2"]["worst"])
        assert rows[(8, 8)]["grid"]["median"] > rows[(16, 16)]["grid"]["median"] > 0
        assert rows[(32, 32)]["interpolated"]["median"] > 0

    def test_the_solvers_meet_the_accuracy_or_say_that_they_do_not(self, found):
        cost = found["cost"]
        assert [solver["name"] for solver in cost["solvers"]] == [
            "reference solver",
            "reference solver at 8 × 8, interpolated",
        ]
        for solver in cost["solvers"]:
            assert (solver["error"] <= cost["network"]["error"]) == (solver["tolerance"] is not None)
        assert set(cost["ratio"]) == {"1", "16"}
        assert cost["others"]["network with its bound"]["16"] > 0

    def test_the_report_stands_beside_and_names_machine_and_weights(self, run, found):
        page = (run / "report.html").read_text("utf-8")
        assert "MgNO for Darcy flow" in page and "a laptop" in page
        assert found["provenance"]["weights"].split()[-1] in page
        assert page.count("<figure>") == 9  # five sets of curves; two cases with their fields and their cells

    def test_the_table_for_the_terminal(self, run, tmp_path, without_pictures):
        said = str(evaluate(run, samples=2, resolutions=[16], out=tmp_path / "elsewhere"))
        assert "energy norm" in said and "bound held on all 2 samples" in said and "At batch 16" in said
        assert len(strict(tmp_path / "elsewhere" / "evaluation.json")["resolutions"]) == 1
        assert strict(run / "evaluation.json")["tests"][0]["samples"] == SAMPLES  # what was there is untouched

    def test_v_cycles_tighten_the_bounds(self, run, found):
        pairs = solved(Darcy(), (16, 16), derived_seed(0, "test"), range(SAMPLES))
        for before, after in zip(found["bounds"], bounds(load(run), pairs, tighten=1), strict=True):
            assert after.violations == 0
            assert after.bound.sum().item() < sum(before["values"]["bound"])

    def test_a_network_that_fails_is_reported_as_failing(self, run, tmp_path):
        broken = tmp_path / "broken"
        shutil.copytree(run, broken)
        weights = load_file(broken / "weights.safetensors")
        some = next(name for name, tensor in weights.items() if name.endswith("weight") and tensor.ndim > 1)
        weights[some] = torch.full_like(weights[some], torch.nan)
        save_file(weights, broken / "weights.safetensors")
        evaluation = evaluate(broken, samples=2, resolutions=[16]).evaluation
        written = strict(broken / "evaluation.json")
        assert written["tests"][0]["summary"]["l2"]["worst"] is None
        assert [bound.violations for bound in evaluation.bounds] == [0, 0]
        assert written["bounds"][0]["values"]["bound"] == [None, None]

    @pytest.mark.parametrize(("resolutions", "said"), [([(16, 16, 16)], "or 2 of them"), ([1], "at least 2")])
    def test_resolutions_that_are_none_are_refused(self, run, resolutions, said):
        with pytest.raises(ValueError, match=said):
            evaluate(run, samples=1, resolutions=resolutions)

    def test_a_folder_without_a_run_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="holds no trained network"):
            evaluate(tmp_path)


class TestOnGeneratedData:
    def test_the_runs_own_test_split_is_used(self, data, tmp_path, without_pictures):
        train(TINY, data=str(data), out=str(tmp_path / "r"))
        evaluation = evaluate(tmp_path / "r", resolutions=[16]).evaluation
        (test,) = evaluation.tests
        pairs = Dataset.open(data).split("test").read(range(4))
        v = load(tmp_path / "r").apply(pairs.inputs)
        expected = L2(Domain.unit(2)).relative(v, pairs.outputs.double())
        torch.testing.assert_close(test.errors.l2, expected)
        assert Dataset.open(data).manifest.splits["test"].sha256 in evaluation.provenance["test data"]
        assert [bound.violations for bound in evaluation.bounds] == [0, 0]
        assert evaluation.cost is not None

    def test_other_data_of_the_same_equation_may_be_given(self, run, data, tmp_path, without_pictures):
        evaluation = evaluate(run, data, samples=2, resolutions=[16], out=tmp_path).evaluation
        assert "split test of the data set" in evaluation.facts["test"]
        assert [bound.violations for bound in evaluation.bounds] == [0, 0]

    def test_data_on_another_domain_are_refused(self, run, tmp_path):
        generate(
            Darcy(Domain.unit(2, "periodic"), source="gaussian"), 10, 8, 0, tmp_path / "d", workers=1, progress=False
        )
        with pytest.raises(DataError, match="the data are periodic"):
            evaluate(run, tmp_path / "d")


class TestOnOwnData:
    def test_every_test_set_is_measured_on_its_grid(self, evaluated):
        evaluation = evaluated[1].evaluation
        assert [(t.name, t.shape, t.samples) for t in evaluation.tests] == [
            ("test", (16, 16), 5),
            ("test_32", (32, 32), 3),
        ]
        assert [row.shape for row in evaluation.resolutions] == [(16, 16), (32, 32)]
        assert all(row.interpolated is None and row.grid is None for row in evaluation.resolutions)
        assert set(evaluation.tests[0].errors.measured()) == {"l2", "h1"}

    def test_nothing_is_claimed_that_needs_an_equation(self, evaluated):
        folder, result = evaluated
        written = strict(folder / "evaluation.json")
        assert written["bounds"] == [] and written["cost"] is None
        page = (folder / "report.html").read_text("utf-8")
        assert "There is no bound for these predictions" in page and "Cost at equal accuracy" not in page
        assert "bound" not in str(result) and "equation" not in result.evaluation.facts

    def test_resolutions_need_an_equation(self, evaluated):
        with pytest.raises(ValueError, match="need an equation to sample"):
            evaluate(evaluated[0], resolutions=[8])
