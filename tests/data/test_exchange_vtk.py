"""VTK's encodings are all read: text, base64 and raw bytes, inline and appended, plain and compressed."""

import base64
import zlib

import numpy as np
import pytest

from vcycle.data import DataError
from vcycle.data.exchange import read_samples

VALUES = np.array([1 / 3, -2.5, 1e-300, 7.0])
HEAD = (
    '<VTKFile type="ImageData" byte_order="{order}" header_type="{header}"{more}><ImageData WholeExtent="0 4 0 0 0 0" '
    'Origin="0 0 0" Spacing="0.25 1 1"><Piece Extent="0 4 0 0 0 0"><CellData><DataArray type="Float64" Name="u" '
)
TAIL = "</CellData></Piece></ImageData>"
ZLIB = ' compressor="vtkZLibDataCompressor"'


def blocks(header: str, order: str) -> list[tuple[bytes, bytes]]:
    """Header and content, as they are encoded apart, for two compressed blocks."""
    data = VALUES.astype(f"{order}f8").tobytes()
    parts = [zlib.compress(part) for part in (data[:24], data[24:])]
    return [(np.array([2, 24, 8, *map(len, parts)], f"{order}{header}").tobytes(), b"".join(parts))]


@pytest.mark.parametrize("header", ["u4", "u8"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("place", ["inline", "appended base64", "appended raw"])
def test_every_encoding_is_read(tmp_path, header, order, compressed, place):
    names = {"u4": "UInt32", "u8": "UInt64", "<": "LittleEndian", ">": "BigEndian"}
    data = VALUES.astype(f"{order}f8").tobytes()
    if compressed:
        ((head, body),) = blocks(header, order)
        text = base64.b64encode(head) + base64.b64encode(body)
    else:
        head, body = np.array([len(data)], f"{order}{header}").tobytes(), data
        text = base64.b64encode(head + body)
    start = HEAD.format(order=names[order], header=names[header], more=ZLIB * compressed).encode()
    if place == "inline":
        content = start + b'format="binary">' + text + b"</DataArray>" + TAIL.encode()
    else:
        encoding = place.split()[1]
        stored = text if encoding == "base64" else head + body
        content = start + b'format="appended" offset="0"/>' + TAIL.encode()
        content += f'<AppendedData encoding="{encoding}">_'.encode() + stored + b"</AppendedData>"
    (tmp_path / "d.vti").write_bytes(content + b"</VTKFile>")
    found = read_samples(tmp_path / "d.vti")
    np.testing.assert_array_equal(found.fields["u"].whole()[0], VALUES)
    assert (found.placement, found.extents) == ("cell", ((0.0, 1.0),))
    np.testing.assert_array_equal(found.axes[0], [0.125, 0.375, 0.625, 0.875])


def test_text_is_read_and_other_compressors_are_named(tmp_path):
    start = HEAD.format(order="LittleEndian", header="UInt32", more="")
    rest = 'format="ascii">' + " ".join(map(repr, VALUES.tolist())) + f"</DataArray>{TAIL}</VTKFile>"
    (tmp_path / "d.vti").write_text(start + rest)
    np.testing.assert_array_equal(read_samples(tmp_path / "d.vti").fields["u"].whole()[0], VALUES)
    (tmp_path / "d.vti").write_text(start.replace("<VTKFile", '<VTKFile compressor="vtkLZ4DataCompressor"') + rest)
    with pytest.raises(DataError, match="is compressed with vtkLZ4DataCompressor: write it with zlib"):
        read_samples(tmp_path / "d.vti")
