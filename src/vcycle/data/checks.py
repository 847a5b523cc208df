"""What data must satisfy before anything is learned from them."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from vcycle.data.layout import AXES
from vcycle.data.schema import DataError
from vcycle.spaces import Domain, Placement

ZERO, SAME = 1e-3, 1e-6


def require_numbers(array: np.ndarray, what: str) -> None:
    """Real, finite numbers only."""
    if array.dtype.kind == "c" or array.dtype.names in (("real", "imag"), ("r", "i")):
        raise DataError(f"{what} is complex: store its real and imaginary parts as two fields")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what} has the type {array.dtype}, which is not a number: store floating-point numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = ~np.isfinite(array)
        first = int(np.flatnonzero(bad.reshape(array.shape[0], -1).any(1))[0]) if array.ndim else 0
        raise DataError(
            f"{what} has {int(bad.sum())} NaN or infinite values, first in sample {first}: remove these samples"
        )


def require_single_precision(array: np.ndarray, what: str) -> None:
    """Sizes that a network can be scaled to, which is kept in single precision."""
    largest = max(float(array.max(initial=0)), -float(array.min(initial=0)))
    limit = float(np.finfo(np.float32).max)
    if largest > limit:
        raise DataError(
            f"{what} has values up to {largest:.3g}, networks hold numbers up to {limit:.1g}: use other units"
        )


def require_boundary(values: Float[Tensor, "b c *grid"], names: tuple[str, ...], domain: Domain, where: str) -> None:
    """Values at the vertices of a Dirichlet face are zero, up to 1e-3 of the largest value."""
    for axis, faces in enumerate(domain.boundary):
        for side, condition in zip(("low", "high"), faces, strict=True):
            if condition != "dirichlet":
                continue
            face = values.select(axis + 2, 0 if side == "low" else -1)
            for channel, name in enumerate(names):
                found, largest = float(face[:, channel].abs().max()), float(values[:, channel].abs().max())
                if found > ZERO * largest:
                    raise DataError(
                        f"{where}: {name!r} reaches {found:.3g} on the {side} {AXES[axis]} face, where the domain says "
                        "dirichlet (u = 0): change the domain's boundary, or placement='cell' if these are cell values"
                    )


def require_no_repeated_end(values: Float[Tensor, "b c *grid"], domain: Domain, where: str) -> None:
    """Periodic vertices do not hold the right end, which is the left end again."""
    for axis in range(domain.dimension):
        if not domain.periodic(axis):
            continue
        first, last = values.select(axis + 2, 0), values.select(axis + 2, -1)
        scale = values.abs().amax()
        varies = (first - values.select(axis + 2, values.shape[axis + 2] // 2)).abs().amax() > SAME * scale
        if bool(varies) and bool((first - last).abs().amax() <= SAME * scale):
            raise DataError(
                f"{where}: along {AXES[axis]} the last point repeats the first in every sample, but periodic vertices "
                "leave the right end out: drop the last point of every field"
            )


def require_same_domain(
    data: Domain,
    other: Domain,
    what: str = "network",
    placements: tuple[Placement, Placement] = ("cell", "cell"),
) -> None:
    """The data and the network (or problem) that is to use them live on one domain.

    `placements` are those of the data and of the other. Raises DataError with the first difference.
    """
    advice = f"build the {what} for {data}, or use data on {other}"
    if data.dimension != other.dimension:
        raise DataError(f"the data have {data.dimension} axes, the {what} has {other.dimension}: {advice}")
    for axis, name in enumerate(AXES[: data.dimension]):
        if data.boundary[axis] != other.boundary[axis]:
            here, there = "|".join(data.boundary[axis]), "|".join(other.boundary[axis])
            raise DataError(f"the data are {here} along {name}, the {what} is {there}: {advice}")
        if not np.allclose(data.extents[axis], other.extents[axis], rtol=1e-9, atol=0):
            here, there = data.extents[axis], other.extents[axis]
            raise DataError(f"the data lie on {here} along {name}, the {what} on {there}: {advice}")
    if placements[0] != placements[1]:
        raise DataError(
            f"the data are {placements[0]} values, the {what} works on {placements[1]} values: build it for the former"
        )
