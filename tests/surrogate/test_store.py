import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from vcycle import networks
from vcycle.networks import Normalised
from vcycle.problems import Darcy
from vcycle.surrogate import Surrogate, load, training_resolution


@pytest.fixture
def run(tmp_path):
    """A run folder as training leaves it."""
    problem, about = Darcy(), {"name": "mgno", "width": 4, "depth": 2, "levels": 2}
    a = problem.sample((8, 8), 0, range(4))
    network = Normalised.fit(
        networks.build(about, 1, 1, problem.domain).double(), a, problem.solve(a).value, log=[True], pointwise=True
    )
    surrogate = Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)
    (tmp_path / "surrogate.yaml").write_text(yaml.safe_dump({**surrogate.describe(), "network": about}))
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    return tmp_path, surrogate, a


def test_a_loaded_surrogate_gives_the_same_answers(run):
    folder, surrogate, a = run
    again = load(folder)
    assert again.problem == surrogate.problem
    assert again.domain == surrogate.domain
    torch.testing.assert_close(again.apply(a), surrogate.apply(a), rtol=0, atol=0)


def test_what_cannot_be_loaded_is_named(run):
    folder, _, _ = run
    weights, about = folder / "weights.safetensors", folder / "surrogate.yaml"
    # Copies: load_file maps the file into memory, which is overwritten below.
    state, text = {name: value.clone() for name, value in load_file(weights).items()}, about.read_text()
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ValueError, match="is damaged"):
        load(folder)
    save_file({**state, "extra": torch.ones(1)}, weights)
    with pytest.raises(ValueError, match="extra is in one of them only"):
        load(folder)
    save_file({name: torch.ones(3) if name.endswith("S.weight") else value for name, value in state.items()}, weights)
    with pytest.raises(ValueError, match="do not fit"):
        load(folder)
    save_file(state, weights)
    for broken, sentence in (
        ("[", "not valid YAML"),
        ("- a", "not the description"),
        (text.replace("problem:", "problm:", 1), "not the description"),
        (text.replace("mgno", "mgmo"), "did you mean"),
        (yaml.safe_dump({"domain": {"extents": [1.0, 1.0], "boundary": ["dirichlet"]}}), "1 boundary .* for 2 axes"),
        *((text[: len(text) * part // 8], "restore it, or train again") for part in range(1, 8)),
    ):
        about.write_text(broken)
        with pytest.raises(ValueError, match=f"(?s)surrogate.yaml .*{sentence}"):
            load(folder)
    with pytest.raises(ValueError, match=r"surrogate\.yaml says no resolution: restore it"):
        training_resolution(folder)
    weights.unlink()
    with pytest.raises(ValueError, match="has no weights"):
        load(folder)
