import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from references.cycles import assert_self_adjoint_and_positive
from vcycle.operators import FiniteVolume, black_box_multigrid, geometric_multigrid
from vcycle.operators.black_box import halves_down
from vcycle.problems import TwoPhase
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain


@pytest.mark.parametrize("shape", [(20,), (80,), (12, 12), (14, 10), (6, 6, 6), (8, 4, 6)])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("prior", ["two_phase", "contrast 1e6"])
def test_the_vcycle_is_self_adjoint_and_positive(shape, boundary, prior):
    D = domain(len(shape), boundary, (1.0, 1.0, 1.0))
    A = FiniteVolume.assemble(PRIORS[prior].sample(D, shape, 1, [0]), D)
    if halves_down(D, shape):
        assert_self_adjoint_and_positive(black_box_multigrid(A), D, shape)
    else:
        assert any(D.periodic(axis) for axis in range(D.dimension))
        with pytest.raises(ValueError, match="cannot be halved"):
            black_box_multigrid(A)


@pytest.mark.parametrize("boundary", ["dirichlet", "periodic", "mixed"])
@pytest.mark.parametrize("n", [32, 64, 128])
@pytest.mark.parametrize("contrast", [1.0, 1e2, 1e4, 1e6])
def test_neither_the_contrast_nor_the_grid_costs_iterations(boundary, n, contrast):
    A, load = hard(boundary, n, contrast)
    cycle = black_box_multigrid(A)
    solution = conjugate_gradients(A, load, cycle, weight=1 / A.diagonal, floating=A.floating, tolerance=1e-8)
    assert bool(solution.converged.all()), solution.message
    assert solution.iterations <= 14


def hard(boundary, n, contrast):
    """Samples of which some take the averages of the geometric cycle twice as many iterations at contrast 1e6."""
    D = domain(2, boundary, (1.0, 1.0))
    A = FiniteVolume.assemble(TwoPhase(1.0, contrast).sample(D, (n, n), 3, range(4, 8)), D)
    load = torch.randn(4, 1, n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) / n**2
    return A, load - load.mean((2, 3), keepdim=True)


def test_it_needs_half_the_iterations_of_averages_at_contrast_1e6():
    A, load = hard("dirichlet", 128, 1e6)
    averages, prescribed = (
        conjugate_gradients(A, load, cycle, weight=1 / A.diagonal, tolerance=1e-8).iterations
        for cycle in (geometric_multigrid(A), black_box_multigrid(A))
    )
    assert 2 * prescribed <= averages + 1


def test_in_single_precision_it_is_the_same_cycle_and_leaves_the_operator_alone():
    A, load = hard("dirichlet", 64, 1e6)
    double, single = black_box_multigrid(A), black_box_multigrid(A, dtype=torch.float32)
    assert all(t.dtype == torch.float32 for t in single.buffers())
    assert A.diagonal.dtype == torch.float64
    z = double(load)
    energy = [float((e * A(e)).sum()) for e in (z, single(load.float()).double() - z)]
    assert energy[1] < 1e-3**2 * energy[0]


def test_an_odd_periodic_axis_is_refused():
    D = Domain((1.0, 1.0), ["periodic", "dirichlet"])
    A = FiniteVolume.assemble(torch.ones(1, 1, 9, 16, dtype=torch.float64), D)
    with pytest.raises(ValueError, match="cannot be halved"):
        black_box_multigrid(A)
