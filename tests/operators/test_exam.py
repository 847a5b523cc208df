"""Every operator of the package sits the exam. A new operator is examined the moment it is listed here."""

from collections.abc import Callable

import pytest
import scipy.sparse
import torch

from vcycle.networks.point_functions import PointFunctions
from vcycle.operators import (
    Average,
    AxisMatrices,
    BoundedSpectral,
    Chebyshev,
    Compact,
    FiniteRank,
    FiniteVolume,
    Fourier,
    Identity,
    Interpolation,
    Level,
    LinearOperator,
    Matrix,
    Multigrid,
    OperatorInterpolation,
    Pointwise,
    Prolongation,
    Smoother,
    Spectral,
    Stencil,
    Stretching,
    black_box_multigrid,
    elements_multigrid,
    geometric_multigrid,
)
from vcycle.operators.galerkin import prescribed_coarsening
from vcycle.operators.parity import Parity
from vcycle.spaces import Domain, Space
from vcycle.testing import THEOREMS, Candidate

PERIODIC = Domain([2.0, 1.0], "periodic")
DIRICHLET = Domain([1.0, 3.0], "dirichlet")
NEUMANN = Domain.unit(2, "neumann")
MIXED = Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"])
DOMAINS = {"periodic": PERIODIC, "dirichlet": DIRICHLET, "neumann": NEUMANN, "mixed": MIXED}
LINE = Domain([1.5], ("neumann",))
CUBE = Domain([1.0, 2.0, 1.0], ["periodic", "dirichlet", ("neumann", "dirichlet")])


def spaces(domain: Domain, placement: str = "cell") -> tuple[Space, Space]:
    return Space(domain, 2, placement), Space(domain, 3, placement)


def axis_matrices(domain: Domain, source: tuple[int, ...], target: tuple[int, ...]) -> AxisMatrices:
    pairs = zip(target, source, strict=True)
    return AxisMatrices(Space(domain, 2), [torch.randn(m, n, dtype=torch.float64) for m, n in pairs])


def elements(domain: Domain, shape: tuple[int, ...]) -> tuple[Compact, torch.Tensor]:
    """Two components with random symmetric positive moduli, whose contrast makes cycles keep double precision."""
    root = torch.randn(1, 4, 4, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(11))
    moduli = torch.einsum("bij...,bkj...->bik...", root, root) + torch.eye(4, dtype=torch.float64).view(1, 4, 4, 1, 1)
    moduli[..., : shape[1] // 2] *= 1e4
    moduli = moduli.unflatten(2, (2, 2)).unflatten(1, (2, 2))[:, :, :, :, :, None]
    return Compact.assemble(moduli, domain), moduli


def learned_multigrid(domain: Domain, residual: bool, gamma: int = 1) -> Multigrid:
    """Three levels with all parts: two smoothing steps, post-smoothing, Pi, and R of f or of f - A u."""
    f, u = spaces(domain)
    levels = []
    for level in range(3):
        pre = [Smoother(Stencil(f, u), Stencil(u, f)) for _ in range(2)]
        post = [Smoother(Stencil(f, u), Stencil(u, f))]
        if level == 2:
            levels.append(Level(pre, post))
            continue
        A = Stencil(u, f) if residual else None
        parts = {"R": Stencil(f, f, stride=2), "Pi": Stencil(u, u, stride=2), "P": Prolongation(u, u)}
        levels.append(Level(pre, post, A=A, **parts))
    return Multigrid(f, u, levels, gamma=gamma)


def sparse(domain: Domain, placement: str, shape: tuple[int, int], target: tuple[int, int]) -> Matrix:
    source, image = spaces(domain, placement)
    size = (3 * target[0] * target[1], 2 * shape[0] * shape[1])
    matrix = scipy.sparse.random_array(size, density=0.05, rng=5)
    return Matrix(source, image, matrix, shape, target)


def finite_rank(source: Space, target: Space, *, entries: bool = False) -> FiniteRank:
    def functions(count: int) -> PointFunctions:
        return PointFunctions(source.domain, count, width=6, depth=2, activation="sine", features=1)

    counts = (18, 18) if entries else (9, 6)
    return FiniteRank(source, target, *(functions(n) for n in counts), 3, entries=entries)


def diffusion(domain: Domain, shape: tuple[int, ...]) -> FiniteVolume:
    noise = torch.Generator().manual_seed(11)
    a = torch.rand(1, 1, *shape, dtype=torch.float64, generator=noise).add(-0.5).mul(4).exp()
    return FiniteVolume.assemble(a, domain)


def operator_interpolation(domain: Domain, shape: tuple[int, ...]) -> OperatorInterpolation:
    parity = Parity(domain, shape, (0, 1))
    return OperatorInterpolation(prescribed_coarsening(diffusion(domain, shape), parity)[0], parity)


def candidates() -> list[Candidate]:
    listed: list[Candidate] = []

    def add(name: str, build: Callable[[], LinearOperator], *shape: int) -> None:
        listed.append(Candidate(name, build, shape))

    for name, domain in DOMAINS.items():
        f, u = spaces(domain)
        add(f"stencil-{name}", lambda f=f, u=u: Stencil(f, u), 7, 8)
        add(f"wide-stencil-{name}", lambda f=f, u=u: Stencil(f, u, 5), 6, 9)
        add(f"restriction-{name}", lambda f=f, u=u: Stencil(f, u, stride=2), 8, 6)
        add(f"prolongation-{name}", lambda f=f, u=u: Prolongation(f, u), 4, 5)
        add(f"multigrid-{name}", lambda d=domain: learned_multigrid(d, residual=False), 8, 12)
        add(f"multigrid-residual-{name}", lambda d=domain: learned_multigrid(d, residual=True), 8, 12)
        add(f"multigrid-w-odd-{name}", lambda d=domain: learned_multigrid(d, residual=True, gamma=2), 9, 11)
        add(f"pointwise-{name}", lambda f=f, u=u: Pointwise(f, u), 6, 8)
        add(f"spectral-{name}", lambda f=f, u=u: Spectral(f, u, (5, 4)), 8, 10)
        add(f"fourier-{name}", lambda f=f, u=u: Fourier(f, u, (5, 4)), 8, 10)
        add(f"average-{name}", lambda f=f: Average(f), 8, 6)
        for kernel in ("constant", "linear", "cubic", "catmull_rom"):
            add(f"{kernel}-interpolation-{name}", lambda f=f, k=kernel: Interpolation(f, k), 4, 5)
        add(f"bounded-spectral-{name}", lambda f=f: BoundedSpectral(f, (5, 4), 0.8), 8, 10)
        add(f"finite-rank-{name}", lambda f=f, u=u: finite_rank(f, u), 6, 8)
        add(f"matrix-{name}", lambda d=domain: sparse(d, "cell", (4, 5), (4, 5)), 4, 5)
        add(f"finite-volume-{name}", lambda d=domain: diffusion(d, (6, 9)), 6, 9)
        add(f"chebyshev-{name}", lambda d=domain: Chebyshev(diffusion(d, (6, 9))), 6, 9)
        add(f"axis-matrices-{name}", lambda d=domain: axis_matrices(d, (4, 5), (7, 3)), 4, 5)
        add(f"elements-{name}", lambda d=domain: elements(d, (6, 9))[0], 6, 9)
        add(f"elements-chebyshev-{name}", lambda d=domain: Chebyshev(elements(d, (6, 9))[0], largest=4.0), 6, 9)
        if not domain.floating:
            add(f"elements-multigrid-{name}", lambda d=domain: elements_multigrid(*elements(d, (16, 24))), 16, 24)
        add(f"geometric-multigrid-{name}", lambda d=domain: geometric_multigrid(diffusion(d, (16, 24))), 16, 24)
        add(f"black-box-multigrid-{name}", lambda d=domain: black_box_multigrid(diffusion(d, (16, 24))), 16, 24)
        add(f"operator-interpolation-{name}", lambda d=domain: operator_interpolation(d, (8, 6)), 4, 3)
        add(f"operator-restriction-{name}", lambda d=domain: operator_interpolation(d, (8, 6)).transpose(), 8, 6)
    for ghost in ("zeros", "circular", "reflect", "replicate"):
        f, u = spaces(NEUMANN)
        add(f"stencil-{ghost}", lambda f=f, u=u, g=ghost: Stencil(f, u, 5, ghost=g), 5, 6)
        add(f"tiny-stencil-{ghost}", lambda f=f, u=u, g=ghost: Stencil(f, u, 3, ghost=g), 2, 3)
        add(f"restriction-{ghost}", lambda f=f, u=u, g=ghost: Stencil(f, u, stride=2, ghost=g), 6, 8)
        add(f"prolongation-{ghost}", lambda f=f, u=u, g=ghost: Prolongation(f, u, ghost=g), 4, 5)
        add(f"interpolation-{ghost}", lambda f=f, g=ghost: Interpolation(f, "cubic", ghost=g), 4, 5)
    for name, domain, shape in (("1d", LINE, (12,)), ("3d", CUBE, (4, 6, 8))):
        f, u = spaces(domain)
        modes = (3,) * len(shape)
        add(f"stencil-{name}", lambda f=f, u=u: Stencil(f, u), *shape)
        add(f"restriction-{name}", lambda f=f, u=u: Stencil(f, u, stride=2), *shape)
        add(f"prolongation-{name}", lambda f=f, u=u: Prolongation(f, u), *shape)
        add(f"average-{name}", lambda f=f: Average(f), *shape)
        add(f"interpolation-{name}", lambda f=f: Interpolation(f, "cubic"), *shape)
        add(f"multigrid-{name}", lambda d=domain: learned_multigrid(d, residual=True), *(2 * n for n in shape))
        add(f"finite-volume-{name}", lambda d=domain, s=shape: diffusion(d, s), *shape)
        add(f"pointwise-{name}", lambda f=f, u=u: Pointwise(f, u), *shape)
        add(f"finite-rank-{name}", lambda f=f, u=u: finite_rank(f, u), *shape)
        add(f"spectral-{name}", lambda f=f, u=u, m=modes: Spectral(f, u, m), *shape)
        add(f"fourier-{name}", lambda f=f, u=u, m=modes: Fourier(f, u, m), *shape)
    for name, domain in DOMAINS.items():
        f, u = spaces(domain, "vertex")
        add(f"finite-rank-vertex-{name}", lambda f=f, u=u: finite_rank(f, u), 6, 8)
        add(f"stencil-vertex-{name}", lambda f=f, u=u: Stencil(f, u), 7, 8)
        add(f"spectral-vertex-{name}", lambda f=f, u=u: Spectral(f, u, (5, 4)), 8, 10)
        add(f"fourier-vertex-{name}", lambda f=f, u=u: Fourier(f, u, (5, 4)), 8, 10)
        add(f"matrix-vertex-{name}", lambda d=domain: sparse(d, "vertex", (4, 5), (3, 6)), 4, 5)
    f, u = spaces(MIXED)
    add("finite-rank-entries", lambda f=f, u=u: finite_rank(f, u, entries=True), 6, 8)
    f, u = spaces(PERIODIC)
    add("identity", lambda: Identity(f), 4, 5)
    for form in ("tucker", "cp", "tt"):
        low = {"factorization": form, "rank": 0.5}
        add(f"{form}-fourier", lambda o=low: Fourier(f, u, (4, 6), **o), 8, 8)
        add(f"{form}-fourier-beyond-the-grid", lambda o=low: Fourier(f, u, (9, 12), **o), 6, 8)
        add(f"{form}-separable-fourier", lambda o=low: Fourier(f, f, (4, 6), separable=True, **o), 8, 8)
        add(f"{form}-spectral", lambda o=low: Spectral(*spaces(MIXED), (5, 4), **o), 8, 10)
        add(f"{form}-spectral-beyond-the-grid", lambda o=low: Spectral(*spaces(MIXED), (12, 12), **o), 6, 8)
    for name, domain in DOMAINS.items():
        for boundary in ("dirichlet", "neumann"):
            s = spaces(domain)
            add(f"{boundary}-modes-{name}", lambda s=s, b=boundary: Spectral(*s, (5, 4), boundary=b), 8, 10)
    add("separable-spectral", lambda: Spectral(f, f, (4, 6), separable=True), 8, 8)
    add("separable-fourier", lambda: Fourier(f, f, (4, 6), separable=True), 8, 8)
    add("fourier-beyond-the-grid", lambda: Fourier(f, u, (12, 12)), 6, 8)
    add("spectral-beyond-the-grid", lambda: Spectral(f, u, (12, 12)), 6, 8)
    for name, domain in (("dirichlet", DIRICHLET), ("neumann", NEUMANN), ("1d", LINE)):
        add(f"stretching-{name}", lambda d=domain: Stretching(Space(d, 2)), *(4, 5)[: domain.dimension])
    return listed


OPERATORS = candidates()


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda theorem: theorem.__name__)
@pytest.mark.parametrize("candidate", OPERATORS, ids=lambda candidate: candidate.name)
def test_exam(candidate: Candidate, theorem: Callable[[Candidate], None]) -> None:
    theorem(candidate)
