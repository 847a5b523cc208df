import pytest
import torch
import torch.nn.functional as F

from vcycle.operators import Level, Multigrid, Prolongation, Smoother, Stencil
from vcycle.spaces import Domain, Space

DOMAIN = Domain.unit(2)
F_SPACE, U_SPACE = Space(DOMAIN, 2), Space(DOMAIN, 3)


def A() -> Stencil:
    return Stencil(U_SPACE, F_SPACE)


def S() -> Stencil:
    return Stencil(F_SPACE, U_SPACE)


def R(space: Space) -> Stencil:
    return Stencil(space, space, stride=2)


@pytest.mark.parametrize("gamma", [1, 2, 3])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("start", [False, True])
def test_two_levels_are_this_composition_of_convolutions(residual, start, gamma):
    """With gamma corrections: the coarse steps gamma times in a row."""
    fine = Level(
        [Smoother(S()), Smoother(S(), A())],
        [Smoother(S(), A())],
        A=A() if residual else None,
        R=R(F_SPACE),
        Pi=R(U_SPACE) if start else None,
        P=Prolongation(U_SPACE, U_SPACE),
    )
    coarse = Level([Smoother(S(), A()), Smoother(S(), A())])
    W = Multigrid(F_SPACE, U_SPACE, [fine, coarse], gamma=gamma).double()
    f = torch.randn(2, 2, 8, 6, dtype=torch.float64)

    def c(u, name, stride=1):
        return F.conv2d(u, W.get_parameter(f"levels.{name}.weight"), stride=stride, padding=1)

    u = c(f, "0.pre.0.S")
    u = u + c(f - c(u, "0.pre.1.A"), "0.pre.1.S")
    g = c(f - c(u, "0.A") if residual else f, "0.R", 2)
    v = c(u, "0.Pi", 2) if start else torch.zeros(2, 3, 4, 3, dtype=torch.float64)
    for step in (0, 1) * gamma:
        v = v + c(g - c(v, f"1.pre.{step}.A"), f"1.pre.{step}.S")
    u = u + F.conv_transpose2d(v, W.get_parameter("levels.0.P.weight"), stride=2, padding=1)
    u = u + c(f - c(u, "0.post.0.A"), "0.post.0.S")
    torch.testing.assert_close(W(f), u, rtol=0, atol=1e-14)


def test_on_three_levels_gamma_2_runs_through_the_coarse_levels_twice_on_the_way():
    """fine, middle, coarse, coarse, middle, coarse, coarse, fine: a W."""
    visited = []

    def level(name: str, *, coarsest: bool = False) -> Level:
        S = Stencil(F_SPACE, F_SPACE)
        S.register_forward_hook(lambda *_: visited.append(name))
        smoother = Smoother(S, Stencil(F_SPACE, F_SPACE))
        return Level([smoother]) if coarsest else Level([smoother], R=R(F_SPACE), P=Prolongation(F_SPACE, F_SPACE))

    levels = [level("fine"), level("middle"), level("coarse", coarsest=True)]
    Multigrid(F_SPACE, F_SPACE, levels, gamma=2)(torch.zeros(1, 2, 8, 8))
    assert visited == ["fine", *["middle", "coarse", "coarse"] * 2]


def test_incomplete_levels_are_refused():
    with pytest.raises(ValueError, match="gamma >= 1 times, got 0"):
        Multigrid(F_SPACE, U_SPACE, [Level([Smoother(S())])], gamma=0)
    with pytest.raises(ValueError, match="needs a restriction R and a prolongation P"):
        Multigrid(F_SPACE, U_SPACE, [Level([Smoother(S())]), Level([Smoother(S())])])
    with pytest.raises(ValueError, match="without a pre-smoother"):
        Multigrid(F_SPACE, U_SPACE, [Level([])])(torch.zeros(1, 2, 4, 4))
    with pytest.raises(ValueError, match="give it the operator A"):
        Multigrid(F_SPACE, U_SPACE, [Level([Smoother(S()), Smoother(S())])])(torch.zeros(1, 2, 4, 4))
