"""The JSON file: strict, complete, and read back as what was measured."""

import json
import math

import pytest
import torch

from vcycle.analysis import read_history
from vcycle.analysis.evaluation import SCHEMA
from vcycle.spaces import Domain


def test_the_file_holds_what_was_measured(made, tmp_path):
    evaluation = made.example()
    evaluation.write_json(tmp_path / "evaluation.json")
    read = json.loads((tmp_path / "evaluation.json").read_text("utf-8"))
    assert read["schema"] == SCHEMA
    assert Domain(**read["domain"]) == evaluation.domain
    (test,) = read["tests"]
    assert (test["name"], test["shape"], test["samples"]) == ("test", [16, 16], 5)
    assert test["values"]["l2"] == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.05])
    assert test["summary"]["l2"]["median"] == pytest.approx(0.03)
    assert [bound["form"] for bound in read["bounds"]] == ["discrete", "continuum"]
    assert read["bounds"][0]["ratio"]["worst"] == pytest.approx(1.1)
    assert read["resolutions"][1] == evaluation.resolutions[1].to_dict()
    assert read["cost"]["ratio"] == {"1": 0.5, "16": 3.0}
    assert sum(read["spectrum"]["error_energy"]) > 0
    assert read["provenance"] == {"date": "2024-02-29"}


def test_numbers_that_are_none_are_null(made, tmp_path):
    reference, _ = made.fields(Domain.unit(2), 16)
    evaluation = made.example(prediction=torch.full_like(reference, math.nan))
    evaluation.write_json(tmp_path / "e.json")
    read = json.loads((tmp_path / "e.json").read_text(), parse_constant=lambda word: pytest.fail(f"{word} in JSON"))
    assert read["tests"][0]["summary"]["l2"]["median"] is None


def test_a_history_whose_last_line_was_cut_off_is_read_up_to_there(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 0, "loss": null}\n{"step": 5, "loss": 0.5}\n{"step": 10, "lo')
    assert read_history(tmp_path / "log.jsonl") == ({"step": 0, "loss": None}, {"step": 5, "loss": 0.5})
