import pickle
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io
import torch

from vcycle.data import DataError
from vcycle.data.formats import READERS, read_arrays

A = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
U = np.asfortranarray(-A)


def write_hdf5(path, arrays, **options):
    with h5py.File(path, "w", **options) as file:
        for name, array in arrays.items():
            file[name] = array


def write_matlab_73(path, arrays):
    """As MATLAB does: HDF5 behind 512 bytes of header, axes in column-major order, the class as an attribute."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            file[name] = array.T
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124, b" ") + b"\x00\x02IM")


def write(path, kind, arrays):
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    {
        "npz": lambda: np.savez(path, **arrays),
        "npz compressed": lambda: np.savez_compressed(path, **arrays),
        "mat v5": lambda: scipy.io.savemat(path, arrays),
        "mat v4": lambda: scipy.io.savemat(path, {n: a.reshape(2, -1) for n, a in arrays.items()}, format="4"),
        "mat v7.3": lambda: write_matlab_73(path, arrays),
        "h5": lambda: write_hdf5(path, arrays),
        "pt": lambda: torch.save(tensors, path),
        "pt old": lambda: torch.save(tensors, path, _use_new_zipfile_serialization=False),
    }[kind]()


@pytest.mark.parametrize("kind", ["npz", "npz compressed", "mat v5", "mat v7.3", "h5", "pt", "pt old"])
def test_arrays_come_back_as_they_were(tmp_path, kind):
    path = tmp_path / f"data.{kind.split()[0]}"
    write(path, kind, {"a": A, "u": U, "more": A[:1]})
    found = read_arrays(path, ["u", "a"])
    assert set(found) == {"a", "u"}
    np.testing.assert_array_equal(found["a"], A)
    np.testing.assert_array_equal(found["u"], U)


def test_matlab_version_4_holds_matrices(tmp_path):
    write(tmp_path / "data.mat", "mat v4", {"a": A})
    np.testing.assert_array_equal(read_arrays(tmp_path / "data.mat", ["a"])["a"], A.reshape(2, -1))


def test_arrays_without_names_take_the_one_asked_for(tmp_path):
    np.save(tmp_path / "a.npy", A)
    torch.save(torch.from_numpy(A), tmp_path / "a.pt")
    torch.save((torch.from_numpy(A), torch.from_numpy(-A)), tmp_path / "pair.pt")
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.npy", ["a"])["a"], A)
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.pt", ["a"])["a"], A)
    np.testing.assert_array_equal(read_arrays(tmp_path / "pair.pt", ["1"])["1"], -A)
    with pytest.raises(
        DataError,
        match=r"a.npy holds one array without a name, 2 were asked for \(a, u\): .* one .npz, or .* own-data YAML",
    ):
        read_arrays(tmp_path / "a.npy", ["a", "u"])


def test_arrays_in_groups_are_found_by_their_path(tmp_path, generated):
    found = read_arrays(generated / "part-00000.h5", ["t0_fields/a"])
    assert found["t0_fields/a"].shape == (4, 16, 16)


@pytest.mark.parametrize("kind", ["npz", "mat v5", "mat v7.3", "h5", "pt"])
def test_a_missing_field_is_named_with_those_present(tmp_path, kind):
    path = tmp_path / f"data.{kind.split()[0]}"
    write(path, kind, {"coeff": A, "sol": U})
    with pytest.raises(DataError, match=r"has no field 'coef': did you mean 'coeff'\? There are coeff, sol"):
        read_arrays(path, ["coef"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.npz does not exist: check the name"):
        read_arrays(tmp_path / "nowhere.npz", ["a"])


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(DataError, match=r"has the suffix '.csv', readable are .npz, .npy, .mat, .h5, .hdf5, .pt, .pth"):
        read_arrays(tmp_path / "data.csv", ["a"])


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("content", [b"", b"hello, this is no array at all", b"PK\x03\x04 broken"])
def test_damaged_files_of_every_kind_are_refused_in_a_sentence(tmp_path, suffix, content):
    path = tmp_path / f"data{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"data{suffix} "):
        read_arrays(path, ["a"])


@pytest.mark.parametrize("kind", ["npz", "mat v5", "mat v7.3", "h5", "pt"])
def test_truncated_files_of_every_kind_are_refused_in_a_sentence(tmp_path, kind):
    path = tmp_path / f"data.{kind.split()[0]}"
    write(path, kind, {"a": np.random.default_rng(0).random((50, 8, 8))})
    path.write_bytes(path.read_bytes()[:-9000])
    with pytest.raises(DataError, match=r"data\."):
        read_arrays(path, ["a"])


class Trap:
    """Would leave a file behind if anything unpickled it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("kind", ["npy", "npz", "pickle as npy", "pickle in npz", "pt", "pt old", "pickle as pt"])
def test_pickles_are_refused_and_never_run(tmp_path, kind):
    trap, path = Trap(tmp_path / "sprung"), tmp_path / f"data.{kind.split()[-1].replace('old', 'pt')}"
    objects = np.array([trap, trap], dtype=object)
    if kind == "npy":
        np.save(path, objects, allow_pickle=True)
    elif kind == "npz":
        np.savez(path, a=objects)
    elif kind == "pickle in npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", pickle.dumps(trap))
    elif kind == "pt":
        torch.save({"a": torch.zeros(2), "trap": trap}, path)
    elif kind == "pt old":
        torch.save({"a": torch.zeros(2), "trap": trap}, path, _use_new_zipfile_serialization=False)
    else:
        path.write_bytes(pickle.dumps(trap, protocol=2))
    (tmp_path / "sprung").unlink(missing_ok=True)
    with pytest.raises(DataError, match=r"pickled objects or is damaged.*refused|is not a plain"):
        read_arrays(path, ["a"])
    assert not (tmp_path / "sprung").exists()


def test_structs_and_cells_of_matlab_are_refused(tmp_path):
    scipy.io.savemat(tmp_path / "data.mat", {"s": {"x": A}, "c": np.array([A, "text"], dtype=object)})
    for name in ("s", "c"):
        with pytest.raises(DataError, match=f"'{name}' is a cell, a struct or sparse: save it as a plain full array"):
            read_arrays(tmp_path / "data.mat", [name])


@pytest.mark.parametrize("content", [3, [torch.zeros(2).to_sparse()], {"a": torch.zeros(2).to_sparse()}])
def test_torch_files_without_plain_tensors_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "data.pt")
    with pytest.raises(DataError, match=r"holds a int: save a tensor|is a sparse tensor: save it dense"):
        read_arrays(tmp_path / "data.pt", ["0" if isinstance(content, list) else "a"])


def test_bfloat16_and_views_are_read(tmp_path):
    torch.save(
        {"a": torch.ones(2, 3, dtype=torch.bfloat16), "u": torch.zeros(4, 3).T.requires_grad_()}, tmp_path / "d.pt"
    )
    found = read_arrays(tmp_path / "d.pt", ["a", "u"])
    assert found["a"].dtype == np.float32 and found["u"].shape == (3, 4)


def test_parts_never_written_are_not_read_as_zeros(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.create_dataset("chunked", (4, 8), "f4", chunks=(1, 8))[:3] = 1.0
        file.create_dataset("contiguous", (4, 8), "f4")
        file.create_dataset("full", data=np.ones((4, 8)), chunks=(3, 5), compression="gzip")
    with pytest.raises(DataError, match=r"only 3 of 4 chunks of '/chunked' were ever written: finish the file first"):
        read_arrays(tmp_path / "data.h5", ["chunked"])
    with pytest.raises(DataError, match=r"only 0 of 128 bytes of '/contiguous' were ever written"):
        read_arrays(tmp_path / "data.h5", ["contiguous"])
    assert read_arrays(tmp_path / "data.h5", ["full"])["full"].sum() == 32


def test_lost_sources_of_virtual_arrays_are_not_read_as_zeros(tmp_path):
    for number in range(2):
        write_hdf5(tmp_path / f"source{number}.h5", {"a": np.full(3, number + 1.0)})
    layout = h5py.VirtualLayout(shape=(2, 3), dtype=np.float64)
    for number in range(2):
        layout[number] = h5py.VirtualSource(f"source{number}.h5", "a", shape=(3,))
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.create_virtual_dataset("a", layout)
    assert read_arrays(tmp_path / "data.h5", ["a"])["a"].sum() == 9
    (tmp_path / "source1.h5").unlink()
    with pytest.raises(DataError, match=r"'/a' refers to source1.h5, which is missing: copy it beside the file"):
        read_arrays(tmp_path / "data.h5", ["a"])
