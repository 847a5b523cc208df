"""What is read is told, and what cannot be read says what can."""

import numpy as np
import pytest

from vcycle.data import DataError, generate
from vcycle.jobs.config import DataConfig
from vcycle.jobs.datasets import open_data
from vcycle.jobs.option_errors import ConfigError
from vcycle.problems import Darcy

ARRAYS = {"input_field": ["a"], "output_field": ["u"], "boundary": "neumann"}


@pytest.fixture
def own(tmp_path):
    for name in ("a", "u"):
        np.save(tmp_path / f"{name}.npy", np.ones((8, 6, 4)))
    np.savez(tmp_path / "d.npz", a=np.ones((8, 6, 4)), u=np.ones((8, 6, 4)))
    domain = "domain: {extents: [1, 1], boundary: neumann}"
    (tmp_path / "own.yaml").write_text(f"files: {{train: [a.npy, u.npy]}}\ninputs: [a]\noutputs: [u]\n{domain}\n")
    return tmp_path


def test_training_tells_how_own_arrays_were_read(own, capsys):
    read = "a -> u at 6 x 4 cells of Domain((0, 1) neumann x (0, 1) neumann); train 7, validation 1"
    open_data(DataConfig(path=str(own / "d.npz"), **ARRAYS), training=True)
    assert capsys.readouterr().err == (
        f"read d: {read} (if samples or channels stand behind the grid, say `samples: last` or `channels: last` in an "
        "own-data YAML)\n"
    )
    open_data(DataConfig(path=str(own / "own.yaml")), training=True)
    assert capsys.readouterr().err == f"read own: {read}\n"
    open_data(DataConfig(path=str(own / "own.yaml")))
    assert capsys.readouterr().err == ""


def test_a_folder_may_have_a_dot_in_its_name(tmp_path):
    generate(Darcy(), 4, 16, 0, tmp_path / "darcy.v2", workers=1, progress=False)
    assert len(open_data(DataConfig(path=str(tmp_path / "darcy.v2")))) == 4
    with pytest.raises(ConfigError, match=r"--input-field describes .* but .*darcy.v2 says all that itself"):
        open_data(DataConfig(path=str(tmp_path / "darcy.v2"), input_field=["a"]))


def test_arrays_of_numpy_come_in_pairs(own):
    with pytest.raises(DataError, match=r"an own-data YAML \(train: \[a.npy, u.npy\]\)"):
        open_data(DataConfig(path=str(own / "a.npy"), **ARRAYS))
    with pytest.raises(
        ConfigError, match=r"describes one file of arrays, which .* is not: .* name pairs of .npy files"
    ):
        open_data(DataConfig(path=str(own), **ARRAYS))
