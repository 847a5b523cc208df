"""The discrete Helmholtz equation by finite volumes: as a sparse matrix, and without one."""

import math
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from vcycle.operators import FiniteVolume
from vcycle.problems.assembled import assemble
from vcycle.solvers import solve_direct, solve_poisson
from vcycle.spaces import Domain, Grid

Wavenumber = Float[Tensor, "b 1 *grid"]
Wave = Complex[Tensor, "b 1 *grid"]
GMRES_ITERATIONS = 600


class WaveOperator:
    """A u = -lap u - k^2 u integrated over every cell; du/dn = i k u on Neumann faces where they are `absorbing`."""

    def __init__(self, k: Wavenumber, domain: Domain, absorbing: bool):
        self.laplacian = FiniteVolume.assemble(torch.ones_like(k[:1]), domain)
        self.mass = mass(k, domain, absorbing)

    def __call__(self, u: Wave) -> Wave:
        return torch.complex(self.laplacian(u.real), self.laplacian(u.imag)) + self.mass * u


def mass(k: Wavenumber, domain: Domain, absorbing: bool) -> Wave:
    """What multiplies u in every cell: -k^2 |cell|, and the absorbing faces.

    The value u_f at such a face is half a cell away: (u_f - u) / (h/2) = i k u_f, so that the flow through the face is
    |face| i k u / (1 - i k h/2).
    """
    spacing = Grid(domain, tuple(k.shape[2:])).spacing
    volume = math.prod(spacing)
    out = -(k.square() * volume).to(torch.complex128)
    for axis, faces in enumerate(domain.boundary):
        h = spacing[axis]
        for cell, condition in zip((0, -1), faces, strict=True):
            if absorbing and condition == "neumann":
                edge = k.select(axis + 2, cell)
                out.select(axis + 2, cell).sub_(volume / h * 1j * edge / (1 - 0.5j * h * edge))
    return out


def solve_assembled_waves(k: Wavenumber, f: Wavenumber, domain: Domain, absorbing: bool) -> Wave:
    """The direct solution of every sample, on the processor."""
    shape = tuple(k.shape[2:])
    volume = math.prod(Grid(domain, shape).spacing)
    laplacian, diagonal = assemble(np.ones(shape), domain), mass(k, domain, absorbing).numpy(force=True)
    out = []
    for m, source in zip(diagonal[:, 0], f[:, 0].numpy(force=True), strict=True):
        # A real matrix where nothing absorbs: half the work.
        entries = m.ravel() if absorbing else m.real.ravel()
        u = solve_direct(sp.csc_array(laplacian + sp.diags_array(entries)), source.ravel() * volume)
        out.append(u.reshape(shape).astype(np.complex128))
    return torch.from_numpy(np.stack(out))[:, None].to(k.device)


def solve_waves_by_gmres(k: Wavenumber, f: Wavenumber, domain: Domain, absorbing: bool, tolerance: float) -> Wave:
    """The second opinion: GMRES without a matrix, preconditioned by a damped Helmholtz equation of constant k.

    On the processor, where SciPy's vectors are.
    """
    shape, volume = tuple(k.shape[2:]), math.prod(Grid(domain, tuple(k.shape[2:])).spacing)
    out = []
    for wavenumber, source in zip(k.cpu().split(1), f.cpu().split(1), strict=True):
        operator = WaveOperator(wavenumber, domain, absorbing)
        shift = complex(-1, 0.5) * float(wavenumber.square().mean())

        def as_field(v: np.ndarray) -> Wave:
            return torch.from_numpy(v.astype(np.complex128)).view(1, 1, *shape)

        def A(v: np.ndarray, operator: WaveOperator = operator) -> np.ndarray:
            return operator(as_field(v)).numpy().ravel() / volume

        def B(v: np.ndarray, shift: complex = shift) -> np.ndarray:
            return solve_poisson(as_field(v), domain, shift).numpy().ravel()

        load = source.numpy().ravel().astype(np.complex128)
        matrix, preconditioner = _Matrix(A, load.size), _Matrix(B, load.size)
        u, _ = scipy.sparse.linalg.gmres(
            matrix, load, M=preconditioner, rtol=tolerance, restart=GMRES_ITERATIONS, maxiter=1
        )
        out.append(as_field(u))
    return torch.cat(out).to(k.device)


class _Matrix(scipy.sparse.linalg.LinearOperator):
    """A complex matrix that is known by its products."""

    def __init__(self, product: Callable[[np.ndarray], np.ndarray], size: int):
        super().__init__(np.complex128, (size, size))
        self.product = product

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return self.product(x)
