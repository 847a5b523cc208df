"""The verb and the engine know the same formats, and the verb's options arrive."""

from typing import get_args

import numpy as np
import pytest
import scipy.io

import vcycle
from vcycle.app.cli import main
from vcycle.data import Dataset
from vcycle.data.exchange import FORMATS
from vcycle.jobs.convert_config import ConvertConfig
from vcycle.jobs.option_errors import ConfigError


def test_the_formats_of_the_options_are_those_of_the_engine():
    assert set(get_args(ConvertConfig.model_fields["to"].annotation)) == set(FORMATS)


def test_convert_from_the_command_line(tmp_path, capsys):
    a = np.random.default_rng(1).random((4, 5, 5))
    scipy.io.savemat(tmp_path / "d.mat", {"coeff": a, "sol": a})
    line = f"convert {tmp_path}/d.mat {tmp_path}/data --to vcycle --extents 1,2 --boundary neumann,dirichlet"
    assert main(line.split()) == 2
    assert "does not say its placement: give --placement" in capsys.readouterr().err
    line += " --placement cell --input-field coeff --output-field sol --splits {train:0.5,test:0.5}"
    assert main(line.replace("{train:0.5,test:0.5}", "{train:\x00 0.5,test:\x00 0.5}").split(" ")) == 2  # no YAML
    assert main([part.replace(":", ": ") if part[0] == "{" else part for part in line.split()]) == 0
    data = Dataset.open(tmp_path / "data")
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 2, "test": 2}
    assert data.domain == vcycle.Domain([1.0, 2.0], ["neumann", "dirichlet"])


def test_convert_from_python(tmp_path):
    np.savez(tmp_path / "d.npz", u=np.zeros((3, 4)) + np.arange(4.0))
    out = vcycle.convert(
        tmp_path / "d.npz", tmp_path / "d.nc", "netcdf", extents=1, boundary="periodic", placement="cell"
    )
    assert out == tmp_path / "d.nc" and out.exists()
    with pytest.raises(ConfigError, match="did you mean"):
        vcycle.convert(tmp_path / "d.npz", tmp_path / "e.nc", "netcdf", extent=1)
