"""The published recipes can be read, fit together, and have the networks that they say."""

from pathlib import Path

import pytest
import torch

from vcycle import problems
from vcycle.jobs.config import GenerateConfig, TrainConfig
from vcycle.jobs.configure import read_file, resolve
from vcycle.networks import build
from vcycle.operators import count_parameters

HOME = Path(__file__).parents[1]
RECIPES = sorted(folder.name for folder in (HOME / "recipes").iterdir())
PAGE = (HOME / "docs" / "recipes.md").read_text(encoding="utf-8")
SAME_DATA = {"lsm_darcy": "fno_darcy"}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_followed(name):
    source = HOME / "recipes" / SAME_DATA.get(name, name) / "generate.yaml"
    data = resolve(GenerateConfig, read_file(source) | {"out": "data"})
    assert sum(data.splits.values()) == data.samples
    training = resolve(TrainConfig, read_file(HOME / "recipes" / name / "train.yaml") | {"out": "run", "data": "data"})
    problem = problems.build(data.problem.plain())
    with torch.device("meta"):
        channels = len(problem.input_names), len(problem.output_names)
        network = build(training.network.model_dump(), *channels, problem.domain)
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    assert f"{count_parameters(network):,}" in row
    assert f"| {training.epochs} |" in row
