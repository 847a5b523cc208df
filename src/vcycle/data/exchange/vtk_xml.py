"""VTK's XML files: arrays as text, base64 or appended bytes, plain or compressed with zlib.

Written inline in base64 with 64-bit headers, which every reader knows; numbers keep all their bits.
Source: The VTK File Formats, docs.vtk.org.
"""

import base64
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np

from vcycle.data.schema import DataError

TYPES = {
    "Float32": "f4",
    "Float64": "f8",
    **{f"{s}Int{b}": f"{s.lower()[:1] or 'i'}{b // 8}" for s in ("", "U") for b in (8, 16, 32, 64)},
}
NAMES = {np.dtype(code): name for name, code in TYPES.items()}


@dataclass(frozen=True)
class VtkFile:
    """The tree of a file and what its arrays need to be decoded."""

    path: Path
    root: ElementTree.Element
    header: np.dtype
    order: Literal["<", ">"]
    compressed: bool
    appended: bytes
    appended_base64: bool

    def array(self, element: ElementTree.Element) -> np.ndarray:
        """The numbers of a DataArray, one row per tuple where it has components."""
        kind = element.get("type", "Float32")
        if kind not in TYPES:
            raise DataError(f"{self.path}: an array of type {kind} holds no numbers")
        dtype = np.dtype(TYPES[kind]).newbyteorder(self.order)
        style = element.get("format", "ascii")
        if style == "ascii":
            values = np.array((element.text or "").split(), dtype=dtype)
        else:
            values = np.frombuffer(self._bytes(element, style), dtype)
        components = int(element.get("NumberOfComponents", "1"))
        values = values.astype(dtype.newbyteorder("="))
        return values.reshape(-1, components) if components > 1 else values

    def note(self, name: str) -> np.ndarray | None:
        """An array of the FieldData, None if there is no such."""
        for part in self.root.iter("FieldData"):
            for element in part.iter("DataArray"):
                if element.get("Name") == name:
                    return self.array(element)
        return None

    def _bytes(self, element: ElementTree.Element, style: str) -> bytes:
        raw = style == "appended" and not self.appended_base64
        source = (
            (element.text or "").strip().encode()
            if style == "binary"
            else self.appended[int(element.get("offset", "0")) :]
        )
        size = self.header.itemsize
        if not self.compressed:
            if raw:
                count = int(np.frombuffer(source[:size], self.header)[0])
                return source[size : size + count]
            first = base64.b64decode(source[: -(-size // 3) * 4])
            count = int(np.frombuffer(first[:size], self.header)[0])
            return base64.b64decode(source[: -(-(size + count) // 3) * 4])[size : size + count]
        # [blocks, size of a block, size of the last, compressed sizes...], in base64 apart from the blocks.
        start = source[:size] if raw else base64.b64decode(source[: -(-size // 3) * 4])[:size]
        blocks = int(np.frombuffer(start, self.header)[0])
        length = size * (3 + blocks)
        head = source[:length] if raw else base64.b64decode(source[: -(-length // 3) * 4])
        sizes = np.frombuffer(head[:length], self.header)[3:].astype(np.int64)
        rest = (
            source[length:] if raw else base64.b64decode(source[-(-length // 3) * 4 :][: -(-int(sizes.sum()) // 3) * 4])
        )
        ends = np.cumsum(sizes)
        return b"".join(zlib.decompress(rest[end - size : end]) for end, size in zip(ends, sizes, strict=True))


def read_vtk_xml(path: Path) -> VtkFile:
    """Raises DataError for anything but VTK's XML."""
    content, appended, encoding = path.read_bytes(), b"", "base64"
    if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content[:4096]:
        raise DataError(f"{path} declares XML entities, which VTK files never do: it is refused")
    found = re.search(rb"<AppendedData[^>]*>\s*_", content)
    if found:  # raw bytes are no XML
        encoding = "raw" if b'"raw"' in found.group() else "base64"
        appended = content[found.end() : content.rfind(b"</AppendedData>")]
        content = content[: found.start()] + b"</VTKFile>"
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise DataError(f"{path} is not one of VTK's XML files ({error})") from error
    compressor = root.get("compressor", "")
    if compressor not in ("", "vtkZLibDataCompressor"):
        raise DataError(f"{path} is compressed with {compressor}: write it with zlib, or without compression")
    order: Literal["<", ">"] = "<" if root.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
    header = np.dtype(TYPES[root.get("header_type", "UInt32")]).newbyteorder(order)
    return VtkFile(path, root, header, order, bool(compressor), appended, encoding == "base64")


def start(kind: str) -> ElementTree.Element:
    """The root of a file to write: 'ImageData', 'UnstructuredGrid' or 'Collection'."""
    return ElementTree.Element("VTKFile", type=kind, version="1.0", byte_order="LittleEndian", header_type="UInt64")


def add_array(parent: ElementTree.Element, name: str, values: np.ndarray) -> None:
    """A DataArray of one tuple per row."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    if little.dtype.newbyteorder("=") not in NAMES:
        raise DataError(f"VTK has no type for {name!r}, which is {values.dtype}: store numbers of 4 or 8 bytes")
    data = little.tobytes()
    element = ElementTree.SubElement(
        parent, "DataArray", type=NAMES[values.dtype.newbyteorder("=")], Name=name, format="binary"
    )
    if values.ndim == 2:
        element.set("NumberOfComponents", str(values.shape[1]))
    element.text = base64.b64encode(np.array([len(data)], "<u8").tobytes() + data).decode()


def write_xml(root: ElementTree.Element, path: Path) -> None:
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
