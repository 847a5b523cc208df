"""Options of `vcycle convert`. Imports no torch: help and errors come at once."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config import Boundary, Config, Extents, Names


class ConvertConfig(Config):
    """Data from one format to another; the format of the source is found out from its content."""

    source: str
    """file or folder to read: ours, The Well, PDEBench, CFDBench, NetCDF, VTK, .mat, .npz, .h5, .pt"""
    out: str
    """file to write; a folder for vcycle, vti, vtu and cfdbench"""
    to: Literal["vcycle", "well", "pdebench", "mat", "mat73", "npz", "netcdf", "vti", "vtu", "cfdbench"]
    """format to write"""
    fields: Names | None = None
    """arrays of the source that are meant, all if not given"""
    boundary: Boundary | None = None
    """condition at the faces, for all or per axis, where the source does not say"""
    extents: Extents | None = None
    """lengths of the domain per axis, where the source does not say"""
    placement: Literal["cell", "vertex"] | None = None
    """where the values sit, where the source does not say"""
    time_step: float | None = Field(None, gt=0)
    """time between instants, where the source does not say"""
    frames: int | None = Field(None, ge=1)
    """only so many of the first instants"""
    split: str | None = None
    """of a folder of ours: one split, all samples if not given"""
    input_field: Names | None = None
    """vcycle: fields that are inputs; if neither is given as before, or all, and outputs those in time"""
    output_field: Names | None = None
    """vcycle: fields that are outputs"""
    history: int | None = Field(None, ge=1)
    """vcycle: instants that are inputs, 1 if not given"""
    splits: dict[str, int | float] | None = None
    """vcycle: fractions or counts; if not given as before, or {train: 0.8, validation: 0.1, test: 0.1}"""
