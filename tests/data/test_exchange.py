"""What goes through a format comes back with every bit, and what a format cannot say is asked for by its option."""

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from vcycle.data import DataError, Dataset, generate
from vcycle.data.exchange import FORMATS, Mesh, Quantity, Samples, convert, read_samples, write_samples
from vcycle.data.exchange.convert import Given
from vcycle.problems import PROBLEMS, Burgers, Dam, Darcy, Evolution

RNG = np.random.default_rng(5)
SUFFIX = {"well": "d.h5", "pdebench": "d.h5", "mat": "d.mat", "mat73": "d.mat", "npz": "d.npz", "netcdf": "d.nc"}
ONE_D = Given(extents=[(-1.0, 2.0)], boundary="periodic", placement="cell")


def samples(dimension: int, placement="cell", dtype=np.float64, boundary=None) -> Samples:
    """Three samples with a field in time and one without, in float bits that survive no rounding."""
    shape = (5, 4, 3)[:dimension]
    fields = {
        "a": Quantity.of(RNG.standard_normal((3, *shape)).astype(dtype), unit="kg m-3"),
        "u": Quantity.of(RNG.standard_normal((3, 6, *shape)).astype(dtype), timed=True, unit="m s-1"),
    }
    conditions = boundary or (("dirichlet", "neumann"), ("periodic", "periodic"), ("neumann", "neumann"))[:dimension]
    return Samples(
        "some",
        fields,
        extents=((-1.0, 2.0), (0.0, 0.5), (0.0, 3.0))[:dimension],
        boundary=conditions,
        placement=placement,
        times=0.25 * np.arange(6),
        scalars={"nu": np.array([1e-3, 2e-3, 1 / 3])},
    ).with_places()


def assert_same(found: Samples, expected: Samples, *kept: str) -> None:
    assert set(found.fields) == set(expected.fields)
    for name, quantity in expected.fields.items():
        other = found.fields[name]
        assert (other.shape, other.dtype, other.timed) == (quantity.shape, quantity.dtype, quantity.timed)
        np.testing.assert_array_equal(other.whole(), quantity.whole())
        np.testing.assert_array_equal(other.read(slice(1, 2)), quantity.read(slice(1, 2)))
        assert "units" not in kept or other.unit == quantity.unit
    np.testing.assert_array_equal(found.times, expected.times)
    for name in {"boundary", "placement", "extents"} & set(kept):
        assert getattr(found, name) == getattr(expected, name), name
    if "axes" in kept:
        for one, other in zip(found.axes, expected.axes, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-14, atol=1e-15)
    if "scalars" in kept:
        assert {n: v.tolist() for n, v in found.scalars.items()} == {n: v.tolist() for n, v in expected.scalars.items()}


@pytest.mark.parametrize("to", ["well", "pdebench", "netcdf", "vti", "vtu"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize(("placement", "dtype"), [("cell", np.float64), ("vertex", np.float32)])
def test_formats_that_hold_a_grid_keep_it_with_every_bit_of_the_fields(tmp_path, to, dimension, placement, dtype):
    given = samples(dimension, placement, dtype)
    out = tmp_path / SUFFIX.get(to, "folder")
    write_samples(given, out, to)
    found = read_samples(out)
    kept = ["boundary", "extents", "placement", "units", "scalars"] + ["axes"] * (to != "vtu")
    if to == "vtu":  # a grid that became a mesh
        assert found.mesh is not None
        shape = (5, 4, 3)[:dimension]
        whole = {n: q.whole().reshape(*q.shape[:-1], *shape, order="F") for n, q in found.fields.items()}
        found = replace(
            found, fields={n: Quantity.of(v, given.fields[n].timed, given.fields[n].unit) for n, v in whole.items()}
        )
    if to == "pdebench":
        kept.remove("scalars")
    assert_same(found, given, *kept)


@pytest.mark.parametrize("to", ["mat", "mat73", "npz"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_bare_arrays_keep_every_bit_and_are_told_the_rest(tmp_path, to, dimension):
    given = samples(dimension)
    write_samples(given, tmp_path / SUFFIX[to], to)
    found = read_samples(
        tmp_path / SUFFIX[to],
        Given(fields=["a", "u"], extents=given.extents, boundary=given.boundary, placement="cell"),
    )
    assert_same(found, given, "axes", "boundary", "extents", "placement")


def test_the_arrays_of_the_navier_stokes_files_have_time_last(tmp_path):
    a, u = RNG.standard_normal((4, 8, 8)), RNG.standard_normal((4, 8, 8, 5))
    scipy.io.savemat(tmp_path / "ns.mat", {"a": a, "u": u, "t": np.arange(1.0, 6.0)[None]})
    found = read_samples(tmp_path / "ns.mat", Given(extents=[1.0, 1.0], boundary="periodic", placement="vertex"))
    np.testing.assert_array_equal(found.fields["a"].whole(), a)
    np.testing.assert_array_equal(found.fields["u"].whole(), np.moveaxis(u, -1, 1))
    assert found.times.tolist() == [1, 2, 3, 4, 5]


def test_cfdbench_keeps_cases_and_their_numbers(tmp_path):
    given = samples(2)
    given = replace(given, fields={"u": given.fields["u"], "v": given.fields["u"]})
    write_samples(given, tmp_path / "cavity" / "bc", "cfdbench")
    found = read_samples(tmp_path / "cavity")
    np.testing.assert_array_equal(found.fields["v"].whole(), given.fields["u"].whole())
    np.testing.assert_allclose(found.times, 0.1 * np.arange(6))
    assert found.scalars["nu"].tolist() == [1e-3, 2e-3, 1 / 3]
    with np.errstate(all="raise"):
        stored = np.load(tmp_path / "cavity" / "bc" / "case0001" / "u.npy", allow_pickle=False)
    np.testing.assert_array_equal(stored, given.fields["u"].whole()[1].swapaxes(1, 2))


def test_cases_of_different_lengths_are_cut_only_when_asked(tmp_path):
    for number, steps in enumerate((4, 6)):
        case = tmp_path / "tube" / "prop" / f"case{number:04d}"
        case.mkdir(parents=True)
        np.save(case / "u.npy", np.full((steps, 3, 4), float(number)))
        (case / "case.json").write_text(json.dumps({"density": 10, "width": 1.0, "height": 0.5, "note": "x"}))
    with pytest.raises(DataError, match=r"the cases have 4 to 6 frames: give --frames N, at most 4"):
        read_samples(tmp_path / "tube")
    found = read_samples(tmp_path / "tube", Given(frames=3))
    assert found.fields["u"].shape == (2, 3, 4, 3)
    np.testing.assert_allclose(found.times, [0, 0.01, 0.02])
    assert found.extents == ((0.0, 1.0), (0.0, 0.5))
    assert set(found.scalars) == {"density", "width", "height"}


def test_the_well_groups_components_as_vectors_and_tensors(tmp_path):
    given = samples(2)
    u = given.fields["u"]
    names = ["p", "v_x", "v_y", "s_xx", "s_xy", "s_yx", "s_yy", "w_x"]
    given = replace(given, fields={n: Quantity.of(u.whole() + i, True) for i, n in enumerate(names)})
    write_samples(given, tmp_path / "d.h5", "well")
    with h5py.File(tmp_path / "d.h5") as file:
        assert file["t1_fields"].attrs["field_names"].tolist() == ["v"]
        assert file["t2_fields"].attrs["field_names"].tolist() == ["s"]
        assert file["t1_fields/v"].shape == (3, 6, 5, 4, 2) and file["t2_fields/s"].shape == (3, 6, 5, 4, 2, 2)
        np.testing.assert_array_equal(file["t2_fields/s"][..., 1, 0], u.whole() + 5)
    assert_same(read_samples(tmp_path / "d.h5"), given, "axes", "boundary")


def test_what_does_not_vary_in_the_well_is_repeated(tmp_path):
    write_samples(samples(2), tmp_path / "d.h5", "well")
    with h5py.File(tmp_path / "d.h5", "a") as file:
        group, row = file["t0_fields"], np.arange(4.0)
        del group["a"]
        array = group.create_dataset("a", data=row)
        array.attrs["dim_varying"] = [False, True]
        array.attrs["sample_varying"] = array.attrs["time_varying"] = False
        for face in file["boundary_conditions"].values():
            del face.attrs["condition"]
        for name in ("placement", "extents"):
            del file["dimensions"].attrs[name]
    found = read_samples(tmp_path / "d.h5")
    np.testing.assert_array_equal(found.fields["a"].whole(), np.broadcast_to(row, (3, 5, 4)))
    assert found.boundary == (("wall", "wall"), ("periodic", "periodic"))
    assert (found.placement, found.extents) == (None, None)
    with pytest.raises(DataError, match="does not say its placement: give --placement"):
        convert(tmp_path / "d.h5", tmp_path / "out", "vcycle")
    with pytest.raises(DataError, match=r"calls its boundary wall\|wall: say with --boundary"):
        convert(tmp_path / "d.h5", tmp_path / "out", "vcycle", Given(placement="cell"))


def quick(problem):
    if isinstance(problem, Dam):
        return replace(problem, time=0.05)
    return replace(problem, time=problem.time / 5, accuracy=1e-4) if isinstance(problem, Evolution) else problem


@pytest.mark.parametrize("problem", [quick(kind()) for kind in PROBLEMS.values()], ids=lambda problem: problem.name)
def test_pairs_of_ours_keep_their_sides_their_splits_and_their_problem(problem, tmp_path):
    splits = {"train": 1, "test": 2}
    before = generate(problem, 3, 12, 0, tmp_path / "a", splits=splits, verify_every=0, workers=1, progress=False)
    convert(tmp_path / "a", tmp_path / "b", "vcycle")
    after = Dataset.open(tmp_path / "b")
    assert replace(after.description, source=before.description.source) == before.description
    assert {name: len(split) for name, split in after.splits.items()} == splits
    one, other = before.read(range(3)), after.read(range(3))
    assert one.inputs.equal(other.inputs)
    assert one.outputs.equal(other.outputs)


def test_pairs_on_another_domain_solve_nothing_that_is_known(tmp_path):
    generate(Darcy(), 3, 8, 0, tmp_path / "a", verify_every=0, workers=1, progress=False)
    convert(tmp_path / "a", tmp_path / "b", "vcycle", Given(extents=[1.0, 2.0], split="test"), splits={"test": 1.0})
    after = Dataset.open(tmp_path / "b")
    assert (after.problem, after.input_names, list(after.splits)) == (None, ("a",), ["test"])


def test_samples_out_of_distribution_solve_no_common_problem(tmp_path):
    options = {"ood": {"prior.high": 20.0}, "verify_every": 0, "workers": 1, "progress": False}
    generate(Darcy(), 4, 8, 0, tmp_path / "a", **options)
    convert(tmp_path / "a", tmp_path / "all", "vcycle")
    after = Dataset.open(tmp_path / "all")
    assert after.problem is None
    assert list(after.splits) == list(Dataset.open(tmp_path / "a").splits)
    convert(tmp_path / "a", tmp_path / "test", "vcycle", Given(split="test"))
    assert Dataset.open(tmp_path / "test").problem == Darcy().to_dict()


def test_the_array_of_an_npy_is_called_as_its_file(tmp_path):
    np.save(tmp_path / "speed.npy", RNG.standard_normal((3, 5)))
    assert list(read_samples(tmp_path / "speed.npy", ONE_D).fields) == ["speed"]


def test_pdebench_darcy_and_groups_are_read(tmp_path):
    x = (np.arange(8, dtype=np.float32) + 0.5) / 8
    nu, u = RNG.random((3, 8, 8)).astype("f4"), RNG.random((3, 1, 8, 8)).astype("f4")
    with h5py.File(tmp_path / "darcy.hdf5", "w") as file:
        file["nu"], file["tensor"], file["x-coordinate"], file["y-coordinate"] = nu, u, x, x
        file.attrs["beta"] = 1.0
    found = read_samples(tmp_path / "darcy.hdf5", Given(boundary="dirichlet", placement="cell"))
    assert found.extents == ((0.0, 1.0), (0.0, 1.0)) and found.scalars["beta"] == 1.0
    np.testing.assert_array_equal(found.fields["nu"].whole(), nu)
    np.testing.assert_array_equal(found.fields["tensor"].whole(), u[:, 0])
    data = RNG.random((2, 5, 8, 2)).astype("f4")
    with h5py.File(tmp_path / "react.h5", "w") as file:
        for number in range(2):
            group = file.create_group(f"{number:04d}")
            group["data"], group["grid/x"], group["grid/t"] = data[number], x, np.arange(5.0)
    found = read_samples(tmp_path / "react.h5")
    np.testing.assert_array_equal(found.fields["u_1"].whole(), data[..., 1])
    assert found.times.tolist() == [0, 1, 2, 3, 4]


def test_the_incompressible_flows_of_pdebench_have_components_last(tmp_path):
    velocity, particles = RNG.random((2, 3, 5, 4, 2)), RNG.random((2, 3, 5, 4, 1))
    force = RNG.random((2, 5, 4, 2))
    with h5py.File(tmp_path / "ns.h5", "w") as file:
        file["velocity"], file["particles"], file["force"] = velocity, particles, force
        file["t"] = np.tile([0.0, 0.5, 1.0], (2, 1))
    found = read_samples(tmp_path / "ns.h5", Given(extents=[1.0, 1.0], boundary="dirichlet", placement="cell"))
    assert set(found.fields) == {"velocity_x", "velocity_y", "particles", "force_x", "force_y"}
    np.testing.assert_array_equal(found.fields["velocity_y"].whole(), velocity[..., 1])
    np.testing.assert_array_equal(found.fields["force_x"].read(slice(1, 2)), force[1:2, ..., 0])
    assert found.times.tolist() == [0, 0.5, 1] and found.shape == (5, 4)


def test_pdebench_names_one_instant_more_than_it_holds(tmp_path):
    with h5py.File(tmp_path / "burgers.hdf5", "w") as file:
        file["tensor"], file["x-coordinate"] = RNG.random((2, 4, 8)), np.arange(8.0)
        file["t-coordinate"] = np.arange(5.0)
    assert read_samples(tmp_path / "burgers.hdf5").times.tolist() == [0, 1, 2, 3]


def test_netcdf_3_of_others_is_read_by_the_names_of_its_dimensions(tmp_path):
    values = RNG.standard_normal((6, 4, 5))
    with scipy.io.netcdf_file(tmp_path / "d.nc", "w") as file:
        for name, size in (("time", 6), ("lat", 4), ("lon", 5)):
            file.createDimension(name, size)
            file.createVariable(name, "d", (name,))[:] = np.arange(size)
        field = file.createVariable("temperature", "d", ("time", "lat", "lon"))
        field[:], field.units = values, "K"
    found = read_samples(tmp_path / "d.nc")
    assert found.fields["temperature"].unit == "K" and found.shape == (5, 4)
    np.testing.assert_array_equal(found.fields["temperature"].whole(), values.swapaxes(1, 2)[None])


def test_missing_values_are_never_taken_for_numbers(tmp_path):
    with scipy.io.netcdf_file(tmp_path / "d.nc", "w") as file:
        file.createDimension("x", 3)
        field = file.createVariable("u", "d", ("x",))
        field[:], field._FillValue = [1.0, -999.0, 2.0], -999.0
    with pytest.raises(DataError, match="'u' has missing values"):
        read_samples(tmp_path / "d.nc").fields["u"].whole()


@pytest.mark.parametrize("to", ["vtu", "netcdf"])
@pytest.mark.parametrize(("placement", "count"), [("vertex", 4), ("cell", 2)])
def test_meshes_keep_points_and_cells(tmp_path, to, placement, count):
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1 / 3, 0]])
    mesh = Mesh(points, np.array([0, 1, 2, 0, 2, 3]), np.array([3, 6]), np.array([5, 5], dtype=np.uint8))
    fields = {"u": Quantity.of(RNG.standard_normal((2, 3, count)), timed=True, unit="K")}
    given = Samples("mesh", fields, mesh=mesh, placement=placement, times=np.array([0.0, 0.1, 1 / 3]))
    out = tmp_path / SUFFIX.get(to, "folder")
    write_samples(given, out, to)
    found = read_samples(out)
    assert_same(found, given, "placement", "units")
    for name, part in vars(mesh).items():
        np.testing.assert_array_equal(getattr(found.mesh, name), part)
    with pytest.raises(DataError, match="lies on a mesh, which this format does not hold: use --to vtu or netcdf"):
        convert(out, tmp_path / "d.h5", "well", Given(boundary="dirichlet"))


def test_files_of_a_generated_folder_go_out_and_come_back(tmp_path):
    data = generate(Burgers(snapshots=4), 6, 32, 1, tmp_path / "burgers", workers=1, progress=False)
    for to in ("well", "netcdf", "vti", "pdebench"):
        out = convert(tmp_path / "burgers", tmp_path / SUFFIX.get(to, to).replace("d.", f"{to}."), to)
        back = Dataset.open(convert(out, tmp_path / f"back-{to}", "vcycle"))
        assert (back.input_names, back.output_names) == (data.input_names, data.output_names)
        assert (back.domain, back.placement) == (data.domain, data.placement)
        np.testing.assert_allclose(back.description.times, data.description.times, rtol=1e-15)
        for side in ("inputs", "outputs"):
            one, other = (getattr(d.read(range(6)), side).numpy() for d in (data, back))
            np.testing.assert_array_equal(one, other)
        assert {n: len(s) for n, s in back.splits.items()} == {n: len(s) for n, s in data.splits.items()}


def test_steady_data_are_told_apart_by_option(tmp_path):
    generate(Darcy(), 4, 16, 1, tmp_path / "darcy", workers=1, progress=False)
    convert(tmp_path / "darcy", tmp_path / "d.mat", "mat")
    given = Given(fields=["a", "u"], extents=[1.0, 1.0], boundary="dirichlet", placement="cell")
    with pytest.raises(DataError, match="has the fields a, u: say with --input-field and --output-field"):
        convert(tmp_path / "d.mat", tmp_path / "back", "vcycle", given)
    convert(tmp_path / "d.mat", tmp_path / "back", "vcycle", given, inputs=["a"], outputs=["u"])
    one, other = (Dataset.open(tmp_path / name).read(range(4)) for name in ("darcy", "back"))
    np.testing.assert_array_equal(one.outputs, other.outputs)
    test = convert(tmp_path / "darcy", tmp_path / "test.npz", "npz", Given(split="test"))
    with np.load(test) as file:
        np.testing.assert_array_equal(file["u"], one.outputs[-1:, 0].numpy())


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda f: convert(f / "no.h5", f / "o", "well"), "no.h5 does not exist"),
        (lambda f: convert(f / "d.mat", f / "o", "wel"), "there is no format 'wel': did you mean 'well'"),
        (lambda f: convert(f / "d.mat", f, "well"), "exists: choose another name"),
        (lambda f: convert(f / "d.mat", f / "o", "well"), "bare arrays: give --extents, --boundary and --placement"),
        (
            lambda f: convert(f / "d.mat", f / "o", "well", Given(extents=[1.0], placement="cell")),
            "give --extents and --b",
        ),
        (
            lambda f: convert(f / "d.mat", f / "o", "vcycle", Given(extents=[1.0])),
            "does not say its boundary, placement and times: give --boundary, --placement and --time-step",
        ),
        (lambda f: convert(f / "d.mat", f / "o", "well", ONE_D, inputs=["u"]), "--input-field makes pairs"),
        (lambda f: convert(f / "d.mat", f / "o", "well", replace(ONE_D, fields=["w"])), "has no field 'w'"),
        (lambda f: convert(f / "d.mat", f / "o", "well", replace(ONE_D, split="test")), "--split is for folders"),
        (lambda f: convert(f / "d.mat", f / "o", "well", replace(ONE_D, frames=9)), "has 4 instants: give --frames of"),
        (lambda f: convert(f / "d.mat", f / "o", "well", ONE_D), "does not say its times: give --time-step"),
        (
            lambda f: convert(f / "d.mat", f / "o", "vcycle", replace(ONE_D, time_step=1.0), history=4),
            "--history of 1 to",
        ),
        (lambda f: convert(f / "d.mat", f / "o", "cfdbench", replace(ONE_D, time_step=1.0)), "plane grids"),
    ],
)
def test_requests_that_cannot_be_met_name_the_option(tmp_path, call, sentence):
    scipy.io.savemat(tmp_path / "d.mat", {"u": RNG.standard_normal((3, 8, 4))})
    with pytest.raises(DataError, match=sentence):
        call(tmp_path)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["d.h5", "d.nc", "d.mat", "d.vti", "d.npz", "d.pt"])
@pytest.mark.parametrize("content", [b"", b"no such thing", b"<?xml version='1.0'?><VTKFile/>", b"\x89HDF\r\n\x1a\n"])
def test_damaged_files_are_refused_in_a_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError):
        read_samples(tmp_path / name, Given(extents=[1.0], boundary="periodic", placement="cell", fields=["u"]))


def test_entities_in_xml_are_refused(tmp_path):
    (tmp_path / "d.vti").write_text('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><VTKFile/>')
    with pytest.raises(DataError, match="declares XML entities"):
        read_samples(tmp_path / "d.vti")


def test_real_data_become_a_data_set(tmp_path):
    source = Path(__file__).parents[3] / "shared/data/neuralop_darcy/darcy_test_32.pt"
    if not source.exists():
        pytest.skip("the files are not here")
    given = Given(fields=["x", "y"], extents=[1.0, 1.0], boundary="dirichlet", placement="cell")
    convert(source, tmp_path / "darcy", "vcycle", given, inputs=["x"], outputs=["y"])
    data = Dataset.open(tmp_path / "darcy", verify=True)
    assert (len(data), data.resolution) == (50, (32, 32))


def test_every_format_is_tried_above():
    assert set(FORMATS) == {"vcycle", "cfdbench", "vti", "vtu", *SUFFIX}


@pytest.mark.parametrize("to", ["well", "pdebench", "netcdf", "vti", "vtu", "mat", "npz"])
def test_fields_come_back_in_the_order_they_had(tmp_path, to):
    one = samples(2).fields["u"]
    given = replace(samples(2), fields={name: one for name in ("rho", "v_x", "v_y", "p")})
    write_samples(given, tmp_path / SUFFIX.get(to, "folder"), to)
    bare = Given(fields=list(given.fields), extents=[1.0, 1.0], boundary="periodic", placement="cell")
    found = read_samples(tmp_path / SUFFIX.get(to, "folder"), bare if to in ("mat", "npz") else None)
    assert list(found.fields) == list(given.fields)


def test_a_single_instant_is_told_from_a_trajectory_by_option(tmp_path):
    given = samples(2)
    one = Quantity.of(given.fields["u"].whole()[:, :1], timed=True)
    write_samples(
        replace(given, fields={"a": given.fields["a"], "p": one}, times=np.zeros(1)), tmp_path / "d.nc", "netcdf"
    )
    with pytest.raises(DataError, match=r"'p' has a single instant, .* say with --input-field and --output-field"):
        convert(tmp_path / "d.nc", tmp_path / "d", "vcycle")
    data = Dataset.open(convert(tmp_path / "d.nc", tmp_path / "d", "vcycle", inputs=["a"], outputs=["p"]))
    assert (data.input_names, data.output_names) == (("a",), ("p_0",))
    data = Dataset.open(convert(tmp_path / "d.nc", tmp_path / "e", "vcycle", inputs=["p"], outputs=["a"]))
    assert (data.input_names, data.output_names) == (("p_0",), ("a",))
