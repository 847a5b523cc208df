"""What holds for every problem: plain data and back, the same functions at every resolution, verified labels."""

import json
from dataclasses import replace

import pytest
import torch

from vcycle.problems import (
    PROBLEMS,
    Acoustics,
    AllenCahn,
    AnisotropicDarcy,
    Burgers,
    CahnHilliard,
    Cavity,
    Dam,
    Darcy,
    Elasticity,
    Euler,
    Evolution,
    GrayScott,
    Heat,
    Helmholtz,
    ImplicitHeat,
    KdV,
    KuramotoSivashinsky,
    LargeEddy,
    MinimalSurface,
    Multiscale,
    NavierStokes,
    PLaplacian,
    Poisson,
    SemilinearElliptic,
    ShallowWater,
    Stokes,
    SwiftHohenberg,
    Wave,
    build,
)
from vcycle.spaces import Domain

DEFAULTS = [kind() for kind in PROBLEMS.values()]
VARIANTS = [
    *DEFAULTS,
    Darcy(prior=Multiscale()),
    Poisson(Domain([1.0, 2.0], ["periodic", "neumann"]), source="two_phase"),
    ImplicitHeat(Domain([1.0, 2.0], ["neumann", "periodic"]), prior=Multiscale(), step=0.1),
    Helmholtz(Domain.unit(2), absorbing=False, omega=4.0),
    Helmholtz(Domain([1.0, 2.0], ["periodic", ("dirichlet", "neumann")]), source="gaussian"),
    Burgers(history=2, snapshots=3, drift=1.0),
    NavierStokes(Domain([1.0, 2.0], "periodic"), forcing="kolmogorov", drag=0.1, time=1.0, snapshots=2),
    KuramotoSivashinsky(form="combustion"),
    KuramotoSivashinsky(Domain([22.0, 22.0], "periodic"), form="combustion", warmup=2.0),
    Burgers(Domain([1.0, 2.0], "periodic"), viscosity=0.02, refinement=2),
    Heat(Domain([1.0, 2.0], ["periodic", ("dirichlet", "neumann")]), reaction=0.3),
    Wave(Domain([1.0, 1.5], ["neumann", "dirichlet"]), impulse=1.0, history=2, snapshots=2),
    AllenCahn(Domain.unit(1, [("neumann", "dirichlet")])),
    GrayScott(Domain([0.5, 0.5], ["neumann", "periodic"]), history=2, warmup=10.0),
    CahnHilliard(Domain([1.0, 1.0], "neumann"), width=0.05, mean=0.2),
    SwiftHohenberg(Domain([25.0], "neumann"), quadratic=1.0),
    AnisotropicDarcy(Domain([1.0, 0.5], ["periodic", ("neumann", "dirichlet")]), ratio=100.0, source="gaussian"),
    PLaplacian(Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"]), p=1.5, source="gaussian"),
    MinimalSurface(Domain([1.0, 2.0], ["dirichlet", ("neumann", "dirichlet")]), amplitude=0.6),
    SemilinearElliptic(Domain.unit(1, [("neumann", "dirichlet")]), amplitude=20.0),
    Elasticity(Domain.unit(2), poisson_ratio=0.4, force="gaussian"),
    Elasticity(force="traction"),
    Stokes(Domain([2.0, 1.0]), drive="lid"),
    LargeEddy(Domain([6.0, 6.0, 6.0], "periodic"), waves=2, forcing="kolmogorov"),
    Euler(Domain([1.0, 2.0], ["periodic", "neumann"]), flow="riemann", riemann="rusanov", limiter="minmod"),
    Euler(Domain.unit(1, "neumann"), refinement=2, history=2, snapshots=2, absorbing=True, flow="riemann"),
    ShallowWater(bottom="rough", flow="waves", amplitude=0.1, riemann="rusanov"),
    Acoustics(Domain([1.0, 2.0], [("neumann", "dirichlet"), "periodic"]), snapshots=2, reflection=0.0),
    Cavity(Domain([1.0, 2.0]), lid="random", snapshots=2),
]


def name(problem) -> str:
    return f"{problem.name}-{VARIANTS.index(problem)}"


def shape(problem, n: int) -> tuple[int, ...]:
    return (n,) * problem.domain.dimension


def quick(problem):
    """The same with less time to solve."""
    if isinstance(problem, Helmholtz):
        return replace(problem, omega=4.0)
    if isinstance(problem, Dam):
        return replace(problem, time=0.15)
    return replace(problem, time=problem.time / 5, accuracy=1e-5) if isinstance(problem, Evolution) else problem


def test_every_problem_names_itself():
    assert all(PROBLEMS[problem.name] is type(problem) for problem in DEFAULTS)
    assert len({problem.title for problem in DEFAULTS}) == len(DEFAULTS)


@pytest.mark.parametrize("problem", VARIANTS, ids=name)
def test_to_dict_and_build_are_inverse_through_json(problem):
    assert build(json.loads(json.dumps(problem.to_dict()))) == problem


@pytest.mark.parametrize("problem", VARIANTS, ids=name)
def test_labels_are_verified_twice(problem):
    P = quick(problem)
    inputs = P.sample(shape(P, 16), 3, range(2))
    solution = P.solve(inputs)
    assert inputs.dtype == solution.value.dtype == torch.float64
    assert inputs.shape == (2, len(P.input_names), *shape(P, 16))
    assert solution.value.shape == (2, len(P.output_names), *shape(P, 16))
    assert solution.converged.all()
    assert bool((P.residual(inputs, solution.value) < 10 * P.tolerance).all())
    assert bool((P.verify(inputs, solution.value) < P.agreement).all())
    wrong = solution.value * 1.01
    assert bool((P.residual(inputs, wrong) > 100 * P.tolerance).all())
    assert bool((P.verify(inputs, wrong) > P.agreement).all())


@pytest.mark.parametrize("problem", DEFAULTS, ids=name)
def test_samples_are_the_same_functions_at_every_resolution(problem):
    coarse, fine = (problem.sample(shape(problem, n), 3, [4, 9]) for n in (9, 27))
    middles = (slice(None), slice(None), *(slice(1, None, 3),) * problem.domain.dimension)
    same = coarse - fine[middles]
    # A mean over the grid, which sources without Dirichlet faces lose, depends on the grid.
    assert float((same - same.mean()).abs().max()) < 1e-9
    torch.testing.assert_close(problem.sample(shape(problem, 9), 3, [9]), coarse[1:])
    assert not torch.equal(problem.sample(shape(problem, 9), 4, [9]), coarse[1:])


@pytest.mark.parametrize("problem", DEFAULTS, ids=name)
def test_wrong_channels_are_refused_with_the_right_ones(problem):
    with pytest.raises(ValueError, match=f"with channels {', '.join(problem.input_names)}, got"):
        problem.solve(torch.ones(1, 5, *shape(problem, 8)))


@pytest.mark.parametrize("kind", [kind for kind in PROBLEMS.values() if issubclass(kind, Evolution)])
def test_evolutions_say_what_they_cannot_do(kind):
    with pytest.raises(ValueError, match="needs a positive time"):
        kind(time=0.0)
    with pytest.raises(ValueError, match="at least 1 state"):
        kind(snapshots=0)


def test_dimensions_are_those_of_the_equation():
    for kind in (KdV, KuramotoSivashinsky):
        with pytest.raises(ValueError, match="an equation in one dimension"):
            kind(domain=Domain.unit(2, "periodic"))
    with pytest.raises(ValueError, match="in two dimensions"):
        NavierStokes(domain=Domain.unit(3, "periodic"))
