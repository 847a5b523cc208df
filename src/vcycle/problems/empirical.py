"""Coefficients from a file: the user's own distribution."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from vcycle.problems.priors import Coefficient, Prior
from vcycle.spaces import Domain, generator
from vcycle.spaces.basis import apply_axes
from vcycle.spaces.transfer import averaging_matrix

STREAM = 7


@dataclass(frozen=True)
class Empirical(Prior):
    """a is one of the coefficients in `file`, each as likely: (samples, *grid) or (samples, 1, *grid) as .npy.

    A coefficient is constant on the cells of its own grid; other grids get its averages over their cells. The same
    coefficients come again and again: keep some out of the file for tests.

    Raises ValueError for a file that cannot be read, has other axes than the domain, or values that are not positive.
    """

    name: ClassVar[str] = "empirical"
    file: str = "coefficients.npy"

    def sample(self, domain: Domain, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Coefficient:
        stored = self._read(domain.dimension)
        rows = [int(generator(seed, index, STREAM).integers(len(stored))) for index in indices]
        a = torch.from_numpy(stored[rows].astype(np.float64))
        if not bool((a > 0).all()):
            raise ValueError(
                f"{self.file} must hold coefficients a > 0, got {float(a.min()):g}: give their values, not logarithms"
            )
        own = a.shape[1:]
        matrices = [torch.from_numpy(averaging_matrix(n, m)) for n, m in zip(own, shape, strict=True)]
        return apply_axes(matrices, a)[:, None]

    def _read(self, dimension: int) -> np.ndarray:
        if not Path(self.file).is_file():
            raise ValueError(
                f"there is no file {self.file} to draw coefficients from: give --problem.prior.file FILE.npy"
            )
        try:
            stored = np.load(self.file, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f"{self.file} is no .npy file of numbers ({error}): write it with numpy.save") from error
        if stored.ndim == dimension + 2 and stored.shape[1] == 1:
            stored = stored[:, 0]
        if stored.ndim != dimension + 1 or len(stored) == 0:
            raise ValueError(
                f"{self.file} has shape {stored.shape}, expected (samples, *grid) with {dimension} grid axes"
            )
        return stored
