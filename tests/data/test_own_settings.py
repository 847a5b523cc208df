import numpy as np
import pytest

from vcycle.data import DataError, read_own_settings
from vcycle.spaces import Domain

GOOD = """
name: rock
files: {train: train.npz, test_fine: [fine_a.npy, fine_u.npy]}
inputs: [a]
outputs: [u]
domain: {extents: [1, [-1, 1]], boundary: [periodic, [dirichlet, neumann]]}
units: {u: Pa}
validation: 0.25
"""


@pytest.fixture
def folder(tmp_path):
    np.savez(tmp_path / "train.npz", a=np.ones((8, 4, 6)), u=np.ones((8, 4, 6)))
    np.save(tmp_path / "fine_a.npy", np.ones((3, 8, 12)))
    np.save(tmp_path / "fine_u.npy", np.ones((3, 8, 12)))
    return tmp_path


def settings(folder, text):
    (folder / "own.yaml").write_text(text)
    return read_own_settings(folder / "own.yaml")


def test_a_file_describes_the_data(folder):
    own = settings(folder, GOOD)
    assert own.name == "rock"
    assert own.domain == Domain([1.0, (-1.0, 1.0)], ["periodic", ("dirichlet", "neumann")])
    assert own.description.units == {"u": "Pa"}
    sizes = {name: (len(split), split.resolution) for name, split in own.splits.items()}
    assert sizes == {"train": (6, (4, 6)), "validation": (2, (4, 6)), "test_fine": (3, (8, 12))}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "outputs",
            "output",
            "own.yaml has an unknown key output: did you mean 'outputs'|own.yaml is not valid at outputs",
        ),
        (
            "boundary",
            "boundry",
            "own.yaml has an unknown key domain.boundry: did you mean 'boundary'|valid at domain.boundary",
        ),
        ("units", "unit", r"own.yaml has an unknown key unit: did you mean 'units'\? There are name, files"),
        (
            "neumann",
            "robin",
            "own.yaml: unknown boundary condition 'robin': expected one of periodic, dirichlet, neumann",
        ),
        ("0.25", "much", "own.yaml is not valid at validation: .* number"),
        ("inputs: [a]", "inputs: [a", "own.yaml is not YAML: while parsing"),
        ("train.npz", "nowhere.npz", "nowhere.npz does not exist"),
        ("train: train.npz", "train: [a, b, c]", "own.yaml is not valid at files.train"),
    ],
)
def test_mistakes_are_named(folder, old, new, sentence):
    with pytest.raises(DataError, match=sentence):
        settings(folder, GOOD.replace(old, new))


@pytest.mark.parametrize("text", ["", "- a list", "just words"])
def test_other_yaml_is_refused(folder, text):
    with pytest.raises(DataError, match=r"own.yaml is not valid at the top level"):
        settings(folder, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"own.yaml does not exist"):
        read_own_settings(tmp_path / "own.yaml")


def test_samples_and_channels_may_stand_last(folder):
    np.savez(folder / "last.npz", a=np.ones((4, 6, 2, 8)), u=np.ones((4, 6, 8)))
    text = GOOD.replace("{train: train.npz, test_fine: [fine_a.npy, fine_u.npy]}", "{train: last.npz}")
    own = settings(folder, f"{text}channels: last\nsamples: last\n")
    assert (own.input_names, len(own), own.resolution) == (("a_0", "a_1"), 8, (4, 6))
    with pytest.raises(DataError, match=r"own.yaml is not valid at samples: .* 'first' or 'last'"):
        settings(folder, f"{text}samples: middle\n")
