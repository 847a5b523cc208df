"""VTK: uniform grids as .vti, meshes as .vtu, one file per sample and instant; what ParaView opens.

Cell values are CellData and vertex values PointData, so the placement is in the file; instants stand in FieldData and
in a .pvd beside the files of each sample; units and the boundary as JSON in FieldData.
"""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from vcycle.data.exchange.samples import Mesh, Quantity, Samples, uniform
from vcycle.data.exchange.vtk_xml import VtkFile, add_array, read_vtk_xml, start, write_xml
from vcycle.data.schema import DataError
from vcycle.spaces import Placement

DATA: dict[Placement, str] = {"cell": "CellData", "vertex": "PointData"}
NUMBERED = re.compile(r"(\d+)(?:-(\d+))?$")
CELL_TYPES = {1: 3, 2: 8, 3: 11}  # line, pixel, voxel


def read_vtk(path: Path, placement: Placement | None) -> Samples:
    """A file, or all files of a folder: name-SAMPLE.vti, or name-SAMPLE-INSTANT.vti of samples in time."""
    files = [path] if path.is_file() else sorted([*path.glob("*.vti"), *path.glob("*.vtu")], key=_number)
    if not files:
        raise DataError(f"{path} holds no .vti or .vtu files")
    heads = read_vtk_xml(files[0])
    note = heads.note("vcycle")
    about = {} if note is None else json.loads(note.tobytes())
    where, content = _content(heads, placement)
    timed = set(about.get("timed", content if _number(files[0])[1] >= 0 else ()))
    rows: dict[int, list[Path]] = {}
    for file in files:
        rows.setdefault(_number(file)[0], []).append(file)
    table = list(rows.values())
    if len({len(row) for row in table}) > 1:
        raise DataError(f"{path}: the samples have different numbers of instants: every sample needs all files")
    axes, mesh = _place(heads, where)
    shape = tuple(map(len, axes)) if mesh is None else (next(iter(content.values())).shape[0],)
    fields = {
        name: _quantity(table, name, where, shape, name in timed, about.get("units", {}).get(name, ""), values.dtype)
        for name, values in content.items()
    }
    times = [_instant(read_vtk_xml(file)) for file in table[0]]
    boundary, extents = about.get("boundary"), about.get("extents")
    found = Samples(
        name=about.get("name", path.stem),
        fields=fields,
        axes=None if mesh is not None else axes,
        mesh=mesh,
        extents=None if extents is None else tuple((low, high) for low, high in extents),
        boundary=None if boundary is None else tuple((low, high) for low, high in boundary),
        placement=where,
        times=None if not timed or None in times else np.array(times, dtype=np.float64),
        scalars={name: np.asarray(value) for name, value in about.get("scalars", {}).items()},
    )
    return found.with_places()


def write_vtk(samples: Samples, folder: Path, suffix: str) -> None:
    """Into a folder; `suffix` .vti for uniform grids, .vtu for meshes and for grids as meshes of their cells."""
    samples.require("placement", "times")
    placement = samples.placement or "cell"
    if suffix == ".vti" or samples.mesh is None:
        samples.require_grid()
        samples.require("extents")
    folder.mkdir(parents=True, exist_ok=True)
    about = json.dumps(
        {
            "name": samples.name,
            "boundary": samples.boundary,
            "extents": samples.extents,
            "units": {name: quantity.unit for name, quantity in samples.fields.items()},
            "timed": [name for name, quantity in samples.fields.items() if quantity.timed],
            "scalars": {name: np.asarray(value).tolist() for name, value in samples.scalars.items()},
        }
    )
    instants = [None] if samples.times is None else samples.times.tolist()
    for rows in samples.blocks():
        blocks = {name: quantity.read(rows) for name, quantity in samples.fields.items()}
        for row, number in enumerate(range(rows.start, rows.stop)):
            written = []
            for step, time in enumerate(instants):
                values = {n: b[row, step] if samples.fields[n].timed else b[row] for n, b in blocks.items()}
                stem = f"sample-{number:05d}" + ("" if time is None else f"-{step:05d}")
                _write(samples, values, placement, about, time, folder / f"{stem}{suffix}")
                written.append((time, f"{stem}{suffix}"))
            if samples.times is not None:
                _write_collection(written, folder / f"sample-{number:05d}.pvd")


def _write(
    samples: Samples, values: dict[str, np.ndarray], placement: Placement, about: str, time: float | None, path: Path
) -> None:
    kind = "ImageData" if path.suffix == ".vti" else "UnstructuredGrid"
    root = start(kind)
    body = ElementTree.SubElement(root, kind)
    notes = ElementTree.SubElement(body, "FieldData")
    # Bytes of JSON: not every reader knows the arrays of strings that VTK has.
    add_array(notes, "vcycle", np.frombuffer(about.encode(), np.uint8))
    if time is not None:
        add_array(notes, "TimeValue", np.array([time]))
    if path.suffix == ".vti":
        piece = _image_piece(body, samples, placement)
    else:
        mesh = samples.mesh or _mesh_of_grid(samples)
        piece = ElementTree.SubElement(
            body, "Piece", NumberOfPoints=str(len(mesh.points)), NumberOfCells=str(len(mesh.types))
        )
        add_array(ElementTree.SubElement(piece, "Points"), "Points", mesh.points)
        cells = ElementTree.SubElement(piece, "Cells")
        for name in ("connectivity", "offsets", "types"):
            add_array(cells, name, vars(mesh)[name])
    data = ElementTree.SubElement(piece, DATA[placement])
    for name, array in values.items():
        add_array(data, name, array.ravel(order="F"))  # x runs fastest in VTK
    write_xml(root, path)


def _image_piece(body: ElementTree.Element, samples: Samples, placement: Placement) -> ElementTree.Element:
    axes, shape = samples.require_grid(), samples.shape
    points = [n + (placement == "cell") for n in shape] + [1] * (3 - len(shape))
    spacing, origin = [], []
    for axis, (low, _) in zip(axes, samples.extents or (), strict=True):
        if not uniform(axis):
            raise DataError("the points of an axis are not equally far apart, which .vti needs: use --to vtu")
        spacing.append(float(axis[-1] - axis[0]) / (len(axis) - 1))
        origin.append(low)
    missing = 3 - len(shape)
    whole = " ".join(f"0 {n - 1}" for n in points)
    body.set("WholeExtent", whole)
    body.set("Origin", " ".join(map(repr, [*origin, *[0.0] * missing])))
    body.set("Spacing", " ".join(map(repr, [*spacing, *[1.0] * missing])))
    return ElementTree.SubElement(body, "Piece", Extent=whole)


def _mesh_of_grid(samples: Samples) -> Mesh:
    """The points and cells of a grid."""
    axes = samples.require_grid()
    if samples.placement == "cell":
        axes = tuple(np.linspace(*ends, len(axis) + 1) for ends, axis in zip(samples.extents or (), axes, strict=True))
    shape = tuple(map(len, axes))
    missing = 3 - len(shape)
    full = [*axes, *[np.zeros(1)] * missing]
    points = np.stack([c.ravel(order="F") for c in np.meshgrid(*full, indexing="ij")], 1).astype(np.float64)
    number = np.arange(len(points)).reshape(shape, order="F")
    lows = [slice(None, -1), slice(1, None)]
    corners = [
        number[tuple(lows[bit >> axis & 1] for axis in range(len(shape)))].ravel(order="F")
        for bit in range(2 ** len(shape))
    ]
    connectivity = np.stack(corners, 1).astype(np.int64)
    count = len(connectivity)
    offsets = np.arange(1, count + 1, dtype=np.int64) * connectivity.shape[1]
    return Mesh(points, connectivity.ravel(), offsets, np.full(count, CELL_TYPES[len(shape)], dtype=np.uint8))


def _write_collection(written: list[tuple[float | None, str]], path: Path) -> None:
    root = start("Collection")
    body = ElementTree.SubElement(root, "Collection")
    for time, name in written:
        ElementTree.SubElement(body, "DataSet", timestep=repr(time), group="", part="0", file=name)
    write_xml(root, path)


def _content(file: VtkFile, placement: Placement | None) -> tuple[Placement, dict[str, np.ndarray]]:
    """The arrays of the one kind of values that there are, or that was asked for."""
    found = {
        place: {e.get("Name", ""): file.array(e) for part in file.root.iter(tag) for e in part.iter("DataArray")}
        for place, tag in DATA.items()
    }
    present = [place for place in found if found[place]]
    if placement is None and len(present) != 1:
        raise DataError(f"{file.path} has values on {' and '.join(present) or 'nothing'}: choose with --placement")
    where = placement or present[0]
    flat: dict[str, np.ndarray] = {}
    for name, values in found[where].items():
        parts = values.T if values.ndim == 2 else values[None]
        suffixes = (
            [""] if len(parts) == 1 else [f"_{'xyz'[i]}" if len(parts) == 3 else f"_{i}" for i in range(len(parts))]
        )
        flat |= {name + suffix: part for suffix, part in zip(suffixes, parts, strict=True)}
    return where, flat


def _place(file: VtkFile, placement: Placement) -> tuple[tuple[np.ndarray, ...], Mesh | None]:
    image = file.root.find("ImageData")
    if image is None:
        grid = file.root.find("UnstructuredGrid")
        pieces = [] if grid is None else grid.findall("Piece")
        if len(pieces) != 1:
            raise DataError(f"{file.path} is no image and no mesh in one piece: write it as .vti or .vtu")
        cells = {e.get("Name"): file.array(e) for e in pieces[0].iterfind("Cells/DataArray")}
        (points,) = (file.array(e) for e in pieces[0].iterfind("Points/DataArray"))
        return (), Mesh(points, cells["connectivity"], cells["offsets"], cells["types"])
    extent = [int(v) for v in image.get("WholeExtent", "").split()]
    origin = [float(v) for v in image.get("Origin", "0 0 0").split()]
    spacing = [float(v) for v in image.get("Spacing", "1 1 1").split()]
    axes = []
    for axis in range(3):
        first, last = extent[2 * axis : 2 * axis + 2]
        if last > first:
            count, shift = (last - first, 0.5) if placement == "cell" else (last - first + 1, 0.0)
            axes.append(origin[axis] + spacing[axis] * (first + shift + np.arange(count)))
    return tuple(axes), None


def _quantity(
    table: list[list[Path]],
    name: str,
    placement: Placement,
    shape: tuple[int, ...],
    timed: bool,
    unit: str,
    dtype: np.dtype,
) -> Quantity:
    def one(file: Path) -> np.ndarray:
        return _content(read_vtk_xml(file), placement)[1][name].reshape(shape, order="F")

    def read(rows: slice) -> np.ndarray:
        return np.stack([np.stack([one(f) for f in files]) if timed else one(files[0]) for files in table[rows]])

    place = (len(table[0]), *shape) if timed else shape
    return Quantity((len(table), *place), dtype, read, timed, unit)


def _instant(file: VtkFile) -> float | None:
    time = file.note("TimeValue")
    return None if time is None else float(time[0])


def _number(path: Path) -> tuple[int, int]:
    """(sample, instant) from the name; -1 where there is no instant."""
    found = NUMBERED.search(path.stem)
    if found is None:
        return 0, -1
    return int(found.group(1)), int(found.group(2)) if found.group(2) else -1
