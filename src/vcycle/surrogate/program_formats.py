"""The formats that a program is written in, and read back from: torch.export, AOTInductor and ONNX."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import lazy_loader
import torch
from torch import Tensor
from torch.export import ExportedProgram

from vcycle.networks.checks import did_you_mean
from vcycle.spaces import require_compiler

onnxruntime = lazy_loader.load("onnxruntime")

FormatName = Literal["torch", "aoti", "onnx"]
INPUT, OUTPUT = "inputs", "outputs"


class Format(ABC):
    """One kind of file: how a program becomes one, and how the file is run.

    suffix      of the file's name
    precision   that programs of this kind compute in; None for that of the network
    """

    suffix: str
    precision: torch.dtype | None = None

    @abstractmethod
    def require(self) -> None:
        """Raises ValueError with one sentence where this machine lacks what the format takes."""

    @abstractmethod
    def write(self, program: ExportedProgram, file: Path) -> None:
        """The program as a file. Raises RuntimeError for what the format has no form of."""

    @abstractmethod
    def read(self, file: Path) -> Callable[[Tensor], Tensor]:
        """What the file computes. Raises RuntimeError for what cannot be run here."""


class Torch(Format):
    """A torch.export program, for Python with torch alone; any release of torch may refuse the files of another."""

    suffix = ".pt2"

    def require(self) -> None:
        """torch is there."""

    def write(self, program: ExportedProgram, file: Path) -> None:
        torch.export.save(program, file)

    def read(self, file: Path) -> Callable[[Tensor], Tensor]:
        return torch.export.load(file).module()


class AOTI(Format):
    """Machine code by AOTInductor, for C++ with libtorch, or Python with torch, on a processor like this one."""

    suffix = ".pt2"

    def require(self) -> None:
        require_compiler("machine code", "export to torch or onnx")

    def write(self, program: ExportedProgram, file: Path) -> None:
        torch._inductor.aoti_compile_and_package(program, package_path=str(file))

    def read(self, file: Path) -> Callable[[Tensor], Tensor]:
        return torch._inductor.aoti_load_package(str(file))


class ONNX(Format):
    """An ONNX graph of real arithmetic, for ONNX Runtime in C++, C#, Java, browsers and telephones.

    In single precision: ONNX Runtime has no convolutions in another one on processors.
    """

    suffix, precision = ".onnx", torch.float32

    def require(self) -> None:
        if any(find_spec(package) is None for package in ("onnx", "onnxscript", "onnxruntime")):
            raise ValueError("ONNX needs onnx, onnxscript and onnxruntime: pip install 'vcycle[onnx]'")

    def write(self, program: ExportedProgram, file: Path) -> None:
        graph = torch.onnx.export(program, dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False)
        assert graph is not None  # for type checkers: only the older exporter returns nothing
        graph.save(file)

    def read(self, file: Path) -> Callable[[Tensor], Tensor]:
        complaints = onnxruntime.capi.onnxruntime_pybind11_state
        try:
            session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        except (complaints.Fail, complaints.InvalidGraph, complaints.NotImplemented) as error:
            raise RuntimeError(str(error)) from error
        return lambda x: torch.from_numpy(session.run([OUTPUT], {INPUT: x.numpy()})[0])


FORMATS: dict[str, Format] = {"torch": Torch(), "aoti": AOTI(), "onnx": ONNX()}


def format_named(name: str) -> Format:
    """The format; raises ValueError for one that there is not."""
    if name not in FORMATS:
        raise ValueError(f"unknown format {name!r}{did_you_mean(name, list(FORMATS))}")
    return FORMATS[name]
