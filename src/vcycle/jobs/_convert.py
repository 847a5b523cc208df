"""`vcycle convert`: data of other programs for ours, and ours for them."""

from pathlib import Path
from typing import Any

from vcycle.data import exchange
from vcycle.jobs.configure import resolve
from vcycle.jobs.convert_config import ConvertConfig

GIVEN = ("fields", "boundary", "extents", "placement", "time_step", "frames", "split")


def convert(source: str | Path, out: str | Path, to: str, **options: Any) -> Path:
    """Write the samples of `source` to `out` in the format `to`; `options` are those of the command line.

    convert("data/burgers", "burgers.nc", "netcdf"); convert("piececonst_r421_N1024_smooth1.mat", "data/darcy",
    "vcycle", extents=[1, 1], boundary="dirichlet", placement="vertex", fields=["coeff", "sol"], input_field="coeff",
    output_field="sol"). Numbers keep all their bits. Raises ValueError with one sentence that names the missing option.
    """
    config = resolve(ConvertConfig, {"source": str(source), "out": str(out), "to": to, **options})
    return exchange.convert(
        config.source,
        config.out,
        config.to,
        exchange.Given(**{name: vars(config)[name] for name in GIVEN}),
        inputs=config.input_field,
        outputs=config.output_field,
        history=config.history,
        splits=config.splits,
    )
