from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch

from vcycle.data import DataError, read_own
from vcycle.spaces import Domain

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "neuralop_darcy"
SQUARE = Domain.unit(2)
RNG = np.random.default_rng(7)


def pairs(samples: int = 20, grid: tuple[int, ...] = (6, 5), **more) -> dict[str, np.ndarray]:
    return {"a": RNG.random((samples, *grid)), "u": RNG.random((samples, *grid)), **more}


def npz(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def test_validation_is_cut_from_the_end_of_training_and_never_from_a_test(tmp_path):
    data, test = pairs(), pairs(7)
    own = read_own(
        {"test": npz(tmp_path / "t.npz", **test), "train": npz(tmp_path / "d.npz", **data)},
        ["a"],
        ["u"],
        SQUARE,
        validation=0.2,
    )
    assert {name: len(split) for name, split in own.splits.items()} == {"train": 16, "validation": 4, "test": 7}
    np.testing.assert_array_equal(own.split("validation").read([0, 3]).inputs[:, 0], data["a"][[16, 19]])
    np.testing.assert_array_equal(own.split("test").read(range(7)).outputs[:, 0], test["u"])
    assert (own.input_names, own.output_names, own.problem, own.manifest) == (("a",), ("u",), None, None)
    assert len(own) == 27
    assert repr(own).startswith("own: a -> u at 6 x 5 cells of Domain")


def test_a_given_validation_file_leaves_training_whole(tmp_path):
    files = {name: npz(tmp_path / f"{name}.npz", **pairs(5)) for name in ("train", "validation")}
    own = read_own(files, ["a"], ["u"], SQUARE)
    assert {name: len(split) for name, split in own.splits.items()} == {"train": 5, "validation": 5}


def test_one_file_is_split_as_told(tmp_path):
    file = npz(tmp_path / "all.npz", **pairs(20))
    own = read_own({"all": file}, ["a"], ["u"], SQUARE, splits={"train": 12, "validation": 3, "test": 5})
    assert {name: len(split) for name, split in own.splits.items()} == {"train": 12, "validation": 3, "test": 5}
    assert {name: len(split) for name, split in read_own({"all": file}, ["a"], ["u"], SQUARE).splits.items()} == {
        "train": 16,
        "validation": 2,
        "test": 2,
    }


def test_test_sets_may_have_resolutions_of_their_own(tmp_path):
    files = {"train": npz(tmp_path / "a.npz", **pairs()), "test_fine": npz(tmp_path / "b.npz", **pairs(3, (12, 10)))}
    own = read_own(files, ["a"], ["u"], SQUARE)
    assert own.resolution == own.split("train").resolution == (6, 5)
    assert own.split("test_fine").resolution == (12, 10)
    assert len(own) == 20
    assert "test_fine 3 at 12 x 10" in repr(own)


def test_several_fields_and_channels_become_channels_in_order(tmp_path):
    data = pairs(f=RNG.random((20, 3, 6, 5)))
    own = read_own({"train": npz(tmp_path / "d.npz", **data)}, ["a", "f"], ["u"], SQUARE, units={"f_1": "N/m^2"})
    assert own.input_names == ("a", "f_0", "f_1", "f_2")
    assert own.description.units == {"f_1": "N/m^2"}
    fields = own.split("train").read([4])
    np.testing.assert_array_equal(fields.inputs[0], np.concatenate([data["a"][4][None], data["f"][4]]))
    last = {**data, "f": np.moveaxis(data["f"], 1, -1)}
    same = read_own({"train": npz(tmp_path / "l.npz", **last)}, ["a", "f"], ["u"], SQUARE, channels="last")
    assert torch.equal(same.split("train").read([4]).inputs, fields.inputs)


@pytest.mark.parametrize(("channels", "order"), [("first", (1, 2, 3, 0)), ("last", (2, 3, 1, 0))])
def test_samples_may_stand_last(tmp_path, channels, order):
    data = {name: RNG.random((20, 2, 6, 5)) for name in "au"}
    scipy.io.savemat(tmp_path / "d.mat", {name: array.transpose(order) for name, array in data.items()})
    own = read_own({"train": tmp_path / "d.mat"}, ["a"], ["u"], SQUARE, channels=channels, samples="last")
    np.testing.assert_array_equal(own.split("train").read(range(18)).outputs, data["u"][:18])
    scipy.io.savemat(tmp_path / "bare.mat", {name: array[:, 0].transpose(1, 2, 0) for name, array in data.items()})
    own = read_own({"train": tmp_path / "bare.mat"}, ["a"], ["u"], SQUARE, channels=channels, samples="last")
    np.testing.assert_array_equal(own.split("train").read(range(18)).inputs, data["a"][:18, :1])


def test_inputs_and_outputs_may_lie_in_files_of_their_own(tmp_path):
    data = pairs()
    np.save(tmp_path / "a.npy", data["a"])
    np.save(tmp_path / "u.npy", data["u"])
    own = read_own({"train": (tmp_path / "a.npy", tmp_path / "u.npy")}, ["a"], ["u"], SQUARE)
    np.testing.assert_array_equal(own.split("train").read(range(18)).outputs[:, 0], data["u"][:18])


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("bool", "float32"), torch.float32),
        (("int8", "float64"), torch.float64),
        (("int64", "float32"), torch.float64),
        (("bool", "uint8"), torch.float32),
        (("float16", ">f4"), torch.float32),
        (("longdouble", "float32"), torch.float64),
    ],
)
def test_values_keep_their_precision_and_integers_become_floats(tmp_path, kinds, expected):
    data = {name: RNG.integers(0, 2, (20, 6, 5)).astype(kind) for name, kind in zip("au", kinds, strict=True)}
    fields = read_own({"train": npz(tmp_path / "d.npz", **data)}, ["a"], ["u"], SQUARE).split("train").read(range(18))
    assert fields.inputs.dtype == fields.outputs.dtype == expected
    np.testing.assert_array_equal(fields.inputs[:, 0].double(), data["a"][:18].astype(float))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"u": np.ones((19, 6, 5))},
            r"'u' has 19 samples at 6 x 5, but 'a' has 20 samples at 6 x 5: pairs need the same",
        ),
        ({"u": np.ones((20, 5, 6))}, r"'u' has 20 samples at 5 x 6, but 'a' has 20 samples at 6 x 5"),
        ({"u": np.ones((20, 6))}, r"'u' has the shape \(20, 6\), but the domain has 2 axes: expected \(sample, x, y\)"),
        ({"a": np.ones((0, 6, 5)), "u": np.ones((0, 6, 5))}, "there is nothing to learn from"),
        ({"a": np.ones((20, 6, 5, 1)), "u": np.ones((20, 6, 5, 1))}, "or say `channels: last` or `samples: last`"),
        ({"u": 1e200 * np.ones((20, 6, 5))}, r"'u' has values up to 1e\+200, .* use other units"),
        ({"u": np.ones((20, 6, 5), complex)}, "'u' is complex"),
        (
            {"a": np.where(np.arange(30).reshape(6, 5) == 7, np.nan, np.ones((20, 6, 5)))},
            "'a' has 20 NaN .* in sample 0",
        ),
    ],
)
def test_arrays_that_are_no_pairs_are_refused(tmp_path, change, sentence):
    with pytest.raises(DataError, match=sentence):
        read_own({"train": npz(tmp_path / "d.npz", **(pairs() | change))}, ["a"], ["u"], SQUARE)


@pytest.mark.parametrize(
    ("files", "changes", "sentence"),
    [
        ({"trian": "d.npz"}, {}, "unknown split 'trian': did you mean 'train'"),
        ({"test": "d.npz"}, {}, "give a file for 'train' and any others, or one for 'all' alone; got test"),
        ({"train": "d.npz", "all": "e.npz"}, {}, "or one for 'all' alone; got train, all"),
        ({}, {}, "got none"),
        ({"train": "d.npz", "test": "./d.npz"}, {}, "'train' and 'test' are the same file, .*: use 'all'"),
        ({"train": "d.npz"}, {"validation": 1.5}, "between 0 and 1, got 1.5"),
        ({"train": "d.npz"}, {"splits": {"train": 1.0}}, "splits are for the one file 'all'"),
        ({"train": "d.npz"}, {"inputs": []}, r"name at least one input and one output field, got \[\] and \['u'\]"),
        ({"train": "d.npz"}, {"inputs": ["u"]}, "every field needs a name of its own"),
        ({"train": "d.npz"}, {"inputs": ["q"]}, r"d.npz has no field 'q': there are a, u"),
        ({"train": "d.npz"}, {"units": {"v": "m"}}, "a unit is given for 'v', which is no field: there are a, u"),
        ({"train": "one.npz"}, {}, "the training file has 1 sample: give more, or a file for 'validation'"),
        (
            {"train": "d.npz", "test": "two.npz"},
            {},
            r"'test' maps \('a_0', 'a_1'\) to .* every split needs the same channels",
        ),
    ],
)
def test_requests_that_cannot_be_served_are_refused(tmp_path, monkeypatch, files, changes, sentence):
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "d.npz", **pairs())
    npz(tmp_path / "one.npz", **pairs(1))
    npz(tmp_path / "two.npz", **pairs(3, a=np.ones((3, 2, 6, 5))))
    request = {"inputs": ["a"], "outputs": ["u"], **changes}
    with pytest.raises(DataError, match=sentence):
        read_own(files, domain=SQUARE, **request)


def test_boundary_values_are_checked_on_vertices(tmp_path):
    file = npz(tmp_path / "d.npz", **pairs())
    with pytest.raises(DataError, match=r"d.npz: 'u' reaches .* on the low x face, where the domain says dirichlet"):
        read_own({"train": file}, ["a"], ["u"], SQUARE, placement="vertex")
    data = pairs()
    data["a"][..., -1], data["u"][..., -1] = data["a"][..., 0], data["u"][..., 0]
    with pytest.raises(DataError, match="along y the last point repeats the first"):
        read_own(
            {"train": npz(tmp_path / "p.npz", **data)}, ["a"], ["u"], Domain.unit(2, "periodic"), placement="vertex"
        )


@pytest.mark.parametrize("dimension", [1, 3])
def test_other_dimensions(tmp_path, dimension):
    file = npz(tmp_path / "d.npz", **pairs(10, (4, 5, 6)[:dimension]))
    own = read_own({"train": file}, ["a"], ["u"], Domain.unit(dimension))
    assert own.split("train").read([0]).inputs.shape == (1, 1, *(4, 5, 6)[:dimension])


@pytest.mark.skipif(not SHARED.exists(), reason="the Darcy files of neuraloperator are not beside the checkout")
def test_the_darcy_files_of_neuraloperator():
    names = {"train": "darcy_train_16.pt", "test": "darcy_test_16.pt", "test_32": "darcy_test_32.pt"}
    own = read_own({split: SHARED / file for split, file in names.items()}, ["x"], ["y"], SQUARE, name="darcy")
    sizes = {name: (len(split), split.resolution) for name, split in own.splits.items()}
    assert sizes == {
        "train": (900, (16, 16)),
        "validation": (100, (16, 16)),
        "test": (50, (16, 16)),
        "test_32": (50, (32, 32)),
    }
    fields = own.split("test").read(range(50))
    stored = torch.load(SHARED / "darcy_test_16.pt", weights_only=True)
    assert fields.inputs.dtype == torch.float32
    assert torch.equal(fields.inputs[:, 0], stored["x"].float())
    assert torch.equal(fields.outputs[:, 0], stored["y"])
    assert set(fields.inputs.unique().tolist()) == {0.0, 1.0}
