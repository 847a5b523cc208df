"""Every operator of the package sits the exam. A new operator is examined the moment it is listed here."""

from collections.abc import Callable

import pytest
import scipy.sparse
import torch

from vcycle.operators import (
    Chebyshev,
    FiniteVolume,
    Fourier,
    Identity,
    Level,
    LinearOperator,
    Matrix,
    Multigrid,
    Pointwise,
    Prolongation,
    Smoother,
    Spectral,
    Stencil,
    geometric_multigrid,
)
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


def learned_multigrid(domain: Domain, residual: bool) -> Multigrid:
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
    return Multigrid(f, u, levels)


def sparse(domain: Domain, placement: str, shape: tuple[int, int], target: tuple[int, int]) -> Matrix:
    source, image = spaces(domain, placement)
    size = (3 * target[0] * target[1], 2 * shape[0] * shape[1])
    matrix = scipy.sparse.random_array(size, density=0.05, rng=5)
    return Matrix(source, image, matrix, shape, target)


def diffusion(domain: Domain, shape: tuple[int, ...]) -> FiniteVolume:
    noise = torch.Generator().manual_seed(11)
    a = torch.rand(1, 1, *shape, dtype=torch.float64, generator=noise).add(-0.5).mul(4).exp()
    return FiniteVolume.assemble(a, domain)


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
        add(f"pointwise-{name}", lambda f=f, u=u: Pointwise(f, u), 6, 8)
        add(f"spectral-{name}", lambda f=f, u=u: Spectral(f, u, (5, 4)), 8, 10)
        add(f"fourier-{name}", lambda f=f, u=u: Fourier(f, u, (5, 4)), 8, 10)
        add(f"matrix-{name}", lambda d=domain: sparse(d, "cell", (4, 5), (4, 5)), 4, 5)
        add(f"finite-volume-{name}", lambda d=domain: diffusion(d, (6, 9)), 6, 9)
        add(f"chebyshev-{name}", lambda d=domain: Chebyshev(diffusion(d, (6, 9))), 6, 9)
        add(f"geometric-multigrid-{name}", lambda d=domain: geometric_multigrid(diffusion(d, (16, 24))), 16, 24)
    for ghost in ("zeros", "circular", "reflect", "replicate"):
        f, u = spaces(NEUMANN)
        add(f"stencil-{ghost}", lambda f=f, u=u, g=ghost: Stencil(f, u, 5, ghost=g), 5, 6)
        add(f"tiny-stencil-{ghost}", lambda f=f, u=u, g=ghost: Stencil(f, u, 3, ghost=g), 2, 3)
        add(f"restriction-{ghost}", lambda f=f, u=u, g=ghost: Stencil(f, u, stride=2, ghost=g), 6, 8)
        add(f"prolongation-{ghost}", lambda f=f, u=u, g=ghost: Prolongation(f, u, ghost=g), 4, 5)
    for name, domain, shape in (("1d", LINE, (12,)), ("3d", CUBE, (4, 6, 8))):
        f, u = spaces(domain)
        modes = (3,) * len(shape)
        add(f"stencil-{name}", lambda f=f, u=u: Stencil(f, u), *shape)
        add(f"restriction-{name}", lambda f=f, u=u: Stencil(f, u, stride=2), *shape)
        add(f"prolongation-{name}", lambda f=f, u=u: Prolongation(f, u), *shape)
        add(f"multigrid-{name}", lambda d=domain: learned_multigrid(d, residual=True), *(2 * n for n in shape))
        add(f"finite-volume-{name}", lambda d=domain, s=shape: diffusion(d, s), *shape)
        add(f"pointwise-{name}", lambda f=f, u=u: Pointwise(f, u), *shape)
        add(f"spectral-{name}", lambda f=f, u=u, m=modes: Spectral(f, u, m), *shape)
        add(f"fourier-{name}", lambda f=f, u=u, m=modes: Fourier(f, u, m), *shape)
    for name, domain in DOMAINS.items():
        f, u = spaces(domain, "vertex")
        add(f"stencil-vertex-{name}", lambda f=f, u=u: Stencil(f, u), 7, 8)
        add(f"spectral-vertex-{name}", lambda f=f, u=u: Spectral(f, u, (5, 4)), 8, 10)
        add(f"fourier-vertex-{name}", lambda f=f, u=u: Fourier(f, u, (5, 4)), 8, 10)
        add(f"matrix-vertex-{name}", lambda d=domain: sparse(d, "vertex", (4, 5), (3, 6)), 4, 5)
    f, u = spaces(PERIODIC)
    add("identity", lambda: Identity(f), 4, 5)
    add("separable-fourier", lambda: Fourier(f, f, (4, 6), separable=True), 8, 8)
    add("fourier-beyond-the-grid", lambda: Fourier(f, u, (12, 12)), 6, 8)
    add("spectral-beyond-the-grid", lambda: Spectral(f, u, (12, 12)), 6, 8)
    return listed


OPERATORS = candidates()


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda theorem: theorem.__name__)
@pytest.mark.parametrize("candidate", OPERATORS, ids=lambda candidate: candidate.name)
def test_exam(candidate: Candidate, theorem: Callable[[Candidate], None]) -> None:
    theorem(candidate)
