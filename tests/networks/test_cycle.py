import pytest
import torch

from vcycle.networks import Cycle
from vcycle.operators import count_parameters
from vcycle.spaces import Domain, Space

ONE, MANY = Space(Domain.unit(2)), Space(Domain.unit(2), 6)


def parameters_of_a_cycle(steps: int, levels: int, c: int, d: int) -> int:
    """(2 steps - 1) 9cd + (levels - 1)(9d^2 + 9c^2 + 16c^2): A and S per step, R, Pi and P between levels."""
    return (2 * steps - 1) * 9 * c * d + (levels - 1) * (9 * d**2 + 25 * c**2)


@pytest.mark.parametrize(("source", "d"), [(ONE, 1), (MANY, 6)])
def test_a_cycle_has_this_many_parameters(source, d):
    cycle = Cycle(((1, 0), (2, 0), (2, 0))).build(source, MANY)
    assert count_parameters(cycle) == parameters_of_a_cycle(5, 3, 6, d)


@pytest.mark.parametrize(("source", "d"), [(ONE, 1), (MANY, 6)])
def test_shared_cycles_have_these(source, d):
    """One S and one A per level; or one S, A, R, Pi and P for all."""
    cycles = {
        shared: Cycle(((1, 1), (2, 0), (2, 0)), shared=shared).build(source, MANY) for shared in ("steps", "levels")
    }
    pair, transfers = 2 * 9 * 6 * d, 9 * d**2 + 25 * 6**2
    assert count_parameters(cycles["steps"]) == 3 * pair + 2 * transfers
    assert count_parameters(cycles["levels"]) == pair + transfers


OPTIONS = [
    {"residual": residual, "start": start, "gamma": gamma, "shared": shared}
    for residual in (False, True)
    for start in ("iterate", "zero")
    for gamma in (1, 2)
    for shared in (None, "steps", "levels")
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_cycle_is_linear_and_uses_all_it_has(options):
    mixed = Space(Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"]), 3)
    W = Cycle(((1, 1), (2, 0), (2, 0)), **options).build(mixed, mixed).double()
    u, v = torch.randn(2, 3, 13, 8, dtype=torch.float64), torch.randn(2, 3, 13, 8, dtype=torch.float64)
    torch.testing.assert_close(W(0.3 * u - 2 * v), 0.3 * W(u) - 2 * W(v), rtol=0, atol=1e-13)
    W(u).pow(3).sum().backward()
    assert all(p.grad is not None for p in W.parameters())


@pytest.mark.parametrize("gamma", [1, 2])
@pytest.mark.parametrize("residual", [False, True])
def test_starting_from_zero_is_pi_equal_to_zero(residual, gamma):
    options = {"residual": residual, "gamma": gamma}
    released, textbook = (
        Cycle(((1, 1), (2, 1), (2, 0)), start=start, **options).build(MANY, MANY).double()
        for start in ("iterate", "zero")
    )
    textbook.load_state_dict(released.state_dict(), strict=False)
    for name, parameter in released.named_parameters():
        if ".Pi." in name:
            parameter.data.zero_()
    f = torch.randn(1, 6, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(textbook(f), released(f), rtol=0, atol=1e-14)


@pytest.mark.parametrize("shared", ["steps", "levels"])
def test_shared_stencils_are_the_same_numbers_at_every_use(shared):
    steps = ((2, 1), (2, 1), (2, 0))
    together, apart = (Cycle(steps, residual=True, shared=s).build(MANY, MANY).double() for s in (shared, None))
    state = together.state_dict()
    apart.load_state_dict({name: state[name] for name in apart.state_dict()})
    f = torch.randn(1, 6, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(apart(f), together(f), rtol=0, atol=1e-14)
    names = [name for name in state if name.endswith(".S.weight")]
    distinct = {state[name].data_ptr() for name in names}
    assert len(names) == 8
    assert len(distinct) == {"steps": 3, "levels": 1}[shared]


def test_an_impulse_reaches_every_point():
    """Two steps on the coarsest grid of 4 x 4 see all of it, so every point of 64 x 64 answers, in any corner."""
    W = Cycle(((1, 0),) * 4 + ((2, 0),)).build(ONE, ONE).double()
    for x, y in ((0, 0), (31, 40), (63, 0)):
        u = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
        u[..., x, y] = 1
        assert bool((W(u) != 0).all())


def test_an_impulse_stays_local_without_coarse_grids():
    W = Cycle(((2, 0),)).build(ONE, ONE)
    u = torch.zeros(1, 1, 32, 32)
    u[..., 16, 16] = 1
    assert int((W(u) != 0).sum()) == 7 * 7  # S A S, one point further each


def test_restricting_the_residual_differs_by_A_alone():
    """With the A of the restriction set to zero, R(f - A u) and R f are the same network."""
    f = torch.randn(1, 1, 8, 8)
    released, textbook = (Cycle(((1, 0), (1, 0)), residual=residual).build(ONE, MANY) for residual in (False, True))
    A = textbook.get_parameter("levels.0.A.weight")
    textbook.load_state_dict(released.state_dict(), strict=False)
    assert not torch.allclose(textbook(f), released(f))
    A.data.zero_()
    assert torch.equal(textbook(f), released(f))


def test_impossible_iterations_are_refused():
    with pytest.raises(ValueError, match="one level or more"):
        Cycle(())
    with pytest.raises(ValueError, match="needs one pre-smoothing step or more"):
        Cycle(((0, 1), (1, 0)))
    with pytest.raises(ValueError, match="coarsest level has no correction"):
        Cycle(((1, 0), (1, 1)))
    with pytest.raises(ValueError, match="with start='zero' every level needs one pre-smoothing step"):
        Cycle(((1, 0), (0, 0)), start="zero")
