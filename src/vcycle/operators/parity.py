"""A grid seen as pairs of points: the odd ones are the points of the coarse grid, the even ones lie between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from vcycle.spaces import Domain

Class = tuple[int, ...]  # per axis 1 for points between coarse ones, 0 for coarse ones and where nothing is coarsened
Shift = tuple[int, ...]


@dataclass(frozen=True)
class Parity:
    """The classes of the points of a grid (*shape) that is coarsened along `axes`.

    Along a coarsened axis point 2 j lies between the coarse points j - 1 and j, and point 2 j + 1 is coarse point j.
    All arrays here have slots (*slots), where slot j holds what belongs to j. Along a coarsened axis that is not
    periodic there is one slot more than coarse points, so that rolling an array brings zeros from the other end; along
    one that is not coarsened it brings values for which stencils have no use.
    A periodic axis that is coarsened needs an even number of points.
    """

    domain: Domain
    shape: tuple[int, ...]
    axes: tuple[int, ...]

    @cached_property
    def coarse(self) -> tuple[int, ...]:
        """Points of the coarse grid per axis."""
        return tuple(n // 2 if axis in self.axes else n for axis, n in enumerate(self.shape))

    @cached_property
    def slots(self) -> tuple[int, ...]:
        return tuple(m + self.open(axis) for axis, m in enumerate(self.coarse))

    @cached_property
    def classes(self) -> list[Class]:
        """Coarse points first; those between come after those that they are interpolated from."""
        ends = [(0, 1) if axis in self.axes else (0,) for axis in range(len(self.shape))]
        return sorted(product(*ends), key=sum)

    def open(self, axis: int) -> bool:
        """Whether the axis is coarsened and not periodic: points may lie beyond the last coarse point."""
        return axis in self.axes and not self.domain.periodic(axis)

    def split(self, u: Tensor) -> dict[Class, Tensor]:
        """(..., *shape) to (..., *slots) for every class, with zeros in the slots that no point belongs to."""
        split = {}
        for c in self.classes:
            free = [slots - n for slots, n in zip(self.slots, self.counts(c), strict=True)]
            split[c] = F.pad(u[self.places(c)], [pad for n in reversed(free) for pad in (0, n)])
        return split

    def places(self, c: Class) -> tuple[Any, ...]:
        """The index of the points of a class in (..., *shape)."""
        return (..., *[self._every(axis, one) for axis, one in enumerate(c)])

    def moves(self, c: Class) -> list[Shift]:
        """From the slot of a point to those of the coarse points that it is interpolated from."""
        return list(product(*[(-1, 0) if one else (0,) for one in c]))

    @cached_property
    def terms(self) -> list[tuple[Class, Shift]]:
        """The classes between coarse points, each with all its moves: an interpolation has a weight for every one."""
        return [(c, move) for c in self.classes[1:] for move in self.moves(c)]

    def counts(self, c: Class) -> tuple[int, ...]:
        """How many points of a class there are per axis."""
        return tuple(n - n // 2 if one else m for n, m, one in zip(self.shape, self.coarse, c, strict=True))

    def neighbour(self, c: Class, shift: Shift) -> tuple[Class, Shift]:
        """The class of the point `shift` further, and how many slots further it is."""
        found = [self._step(axis, *pair) for axis, pair in enumerate(zip(c, shift, strict=True))]
        return tuple(one for one, _ in found), tuple(slots for _, slots in found)

    def moved(self, array: Tensor, slots: Shift) -> Tensor:
        """(..., *slots): the array `slots` further, at every slot; a number stays as it is."""
        if array.numel() == 1:
            return array
        dims = [axis - len(slots) for axis, s in enumerate(slots) if s]
        return array.roll([-s for s in slots if s], dims) if dims else array

    def _step(self, axis: int, one: int, shift: int) -> tuple[int, int]:
        if axis not in self.axes:
            return 0, shift
        if shift == 0:
            return one, 0
        return (0, (shift - 1) // 2) if one else (1, (shift + 1) // 2)

    def _every(self, axis: int, one: int) -> slice:
        return slice(1 - one, None, 2) if axis in self.axes else slice(None)


def add_product(table: dict[Shift, Tensor], key: Iterable[int], first: Tensor, second: Tensor) -> None:
    """table[key] += first second, from 0."""
    where = tuple(key)
    if where in table:
        table[where].addcmul_(first, second)
    else:
        table[where] = first * second
