import time

import h5py
import numpy as np
import pytest
import torch

from vcycle.data import DataError, Fields
from vcycle.data.files import checksum
from vcycle.data.layout import Shard, write_shard
from vcycle.data.schema import Description
from vcycle.spaces import Domain, Grid

MIXED = Domain([(0.0, 2.0), (-1.0, 1.0), 3.0], ["periodic", ("dirichlet", "neumann"), "neumann"])


def about(domain: Domain, inputs: tuple[str, ...] = ("a", "f"), outputs: tuple[str, ...] = ("u",)) -> Description:
    return Description("mixed", domain, "cell", inputs, outputs, None, {"u": "m"}, "made up")


def random_fields(samples: int, shape: tuple[int, ...]) -> Fields:
    generator = torch.Generator().manual_seed(samples)
    values = torch.rand(samples, 3, *shape, generator=generator, dtype=torch.float64)
    return Fields(values[:, :2], values[:, 2:])


def test_the_groups_and_attributes_are_those_of_the_well(tmp_path):
    write_shard(tmp_path / "part.h5", random_fields(5, (4, 6, 8)), (3, 4, 5, 7, 8), about(MIXED))
    with h5py.File(tmp_path / "part.h5") as file:
        assert dict(file.attrs) | {"simulation_parameters": None} == {
            "dataset_name": "mixed",
            "grid_type": "cartesian",
            "n_spatial_dims": 3,
            "n_trajectories": 5,
            "simulation_parameters": None,
        }
        assert len(file.attrs["simulation_parameters"]) == 0
        assert set(file) == {"dimensions", "boundary_conditions", "scalars", "t0_fields", "t1_fields", "t2_fields"}
        assert list(file["dimensions"].attrs["spatial_dims"]) == ["x", "y", "z"]
        for axis, name in enumerate("xyz"):
            np.testing.assert_array_equal(file["dimensions"][name], Grid(MIXED, (4, 6, 8)).axis(axis))
            assert not file["dimensions"][name].attrs["sample_varying"]
        assert file["dimensions/time"].shape == (1,)
        assert list(file["t0_fields"].attrs["field_names"]) == ["a", "f", "u"]
        for name in "afu":
            array = file["t0_fields"][name]
            assert (array.shape, array.dtype) == ((5, 4, 6, 8), np.float64)
            assert array.attrs["dim_varying"].tolist() == [True, True, True]
            assert (array.attrs["sample_varying"], array.attrs["time_varying"]) == (True, False)
            assert array.id.get_offset() is not None, "contiguous"
        assert file["t0_fields/u"].attrs["units"] == "m"
        assert len(file["t1_fields"].attrs["field_names"]) == len(file["t2_fields"].attrs["field_names"]) == 0
        assert file["scalars/sample_index"][()].tolist() == [3, 4, 5, 7, 8]


def test_every_face_has_its_condition(tmp_path):
    write_shard(tmp_path / "part.h5", random_fields(1, (4, 6, 8)), (0,), about(MIXED))
    with h5py.File(tmp_path / "part.h5") as file:
        faces = file["boundary_conditions"]
        kinds = {name: (face.attrs["bc_type"], face.attrs["condition"]) for name, face in faces.items()}
        assert kinds == {
            "x_low": ("periodic", "periodic"),
            "x_high": ("periodic", "periodic"),
            "y_low": ("wall", "dirichlet"),
            "y_high": ("wall", "neumann"),
            "z_low": ("wall", "neumann"),
            "z_high": ("wall", "neumann"),
        }
        assert faces["y_low/mask"][()].tolist() == [True, False, False, False, False, False]
        assert faces["z_high/mask"][()].tolist() == [False] * 7 + [True]
        assert faces["y_low/values"][()].tolist() == [0.0]
        assert list(faces["y_low"].attrs["associated_fields"]) == ["u"]


def test_the_same_fields_give_the_same_bytes_at_another_time(tmp_path):
    fields = random_fields(3, (4, 6, 8))
    write_shard(tmp_path / "one.h5", fields, (0, 1, 2), about(MIXED))
    time.sleep(1.1)  # time stamps in HDF5 count seconds
    write_shard(tmp_path / "two.h5", fields, (0, 1, 2), about(MIXED))
    assert checksum(tmp_path / "one.h5") == checksum(tmp_path / "two.h5")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("positions", [[], [3], [2, 3, 4], [6, 0, 0, 3], list(range(7)), [6, 5, 4]])
def test_a_shard_reads_back_exactly_what_was_written(tmp_path, dtype, positions):
    fields = random_fields(7, (5, 4))
    fields = Fields(fields.inputs.to(dtype), fields.outputs.to(dtype))
    write_shard(tmp_path / "part.h5", fields, tuple(range(7)), about(Domain.unit(2)))
    shard = Shard(tmp_path / "part.h5", checksum(tmp_path / "part.h5"), 7, (5, 4), ("a", "f"), ("u",))
    found = shard.read(np.array(positions, dtype=np.int64))
    assert found.inputs.dtype == dtype
    assert torch.equal(found.inputs, fields.inputs[positions])
    assert torch.equal(found.outputs, fields.outputs[positions])


def test_a_file_that_is_no_shard_is_refused(tmp_path):
    (tmp_path / "part.h5").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"part.h5 cannot be read .*: run the command that made the data again"):
        Shard(tmp_path / "part.h5", "", 1, (4,), ("a",), ("u",)).read(np.array([0]))
