"""At which wavenumbers the error lives."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vcycle.analysis.summary import plain
from vcycle.spaces import Basis, Domain, Placement

Field = Float[Tensor, "b c *grid"]


@dataclass(frozen=True)
class Spectrum:
    """Energy per shell of wavenumbers, sum of c_k^2 over modes with |omega_k| about s * fundamental, mean over samples.

    c_k are the coefficients in the orthonormal basis that fits the boundary conditions: Fourier, sine, cosine or mixed.
    Shells beyond `complete` hold only modes from the corners of the grid's box of modes.
    """

    fundamental: float
    reference: Float[Tensor, " s"]
    error: Float[Tensor, " s"]
    complete: int

    @property
    def wavenumbers(self) -> Float[Tensor, " s"]:
        """The radian wavenumber of every shell."""
        return self.fundamental * torch.arange(len(self.reference), dtype=torch.float64)

    def to_dict(self) -> dict[str, Any]:
        return {
            "fundamental": self.fundamental,
            "complete_shells": self.complete,
            "reference_energy": plain(self.reference),
            "error_energy": plain(self.error),
        }


def error_spectrum(prediction: Field, reference: Field, domain: Domain, placement: Placement = "cell") -> Spectrum:
    """The spectra of the reference and of the error, channels and samples together."""
    basis, shape = Basis(domain, placement), tuple(reference.shape[2:])
    index, fundamental, complete = shells(basis, shape)
    energies = []
    for u in (reference, prediction.to(reference) - reference):
        square = basis.analyse(u).square().sum(1).mean(0).flatten().double().cpu()
        energies.append(torch.zeros(int(index.max()) + 1, dtype=torch.float64).index_add(0, index.flatten(), square))
    return Spectrum(fundamental, energies[0], energies[1], complete)


def shells(basis: Basis, shape: tuple[int, ...]) -> tuple[Int[Tensor, "*modes"], float, int]:
    """The shell of every mode, the distance of shells, and the number of the last one that the grid fills."""
    counts, domain = basis.counts(shape), basis.domain
    steps = [(2 if domain.periodic(a) else 1) * math.pi / length for a, length in enumerate(domain.lengths)]
    fundamental = max(steps)  # the coarsest spacing of wavenumbers, so that no shell is empty
    index = (basis.laplacian(counts).sqrt() / fundamental).round().long()
    largest = min(omega[-1].item() for omega in basis.wavenumbers(counts))
    return index, fundamental, int(largest / fundamental)
