import itertools

import pytest
import torch
import torch.nn.functional as F

from vcycle.operators import Prolongation, Stencil
from vcycle.spaces import Domain, Space, ghosts, pad

GHOSTS = ("zeros", "circular", "reflect", "replicate")
MIXED = Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"])


def line(channels: int = 1) -> Space:
    return Space(Domain.unit(1), channels)


def dense(operator: torch.nn.Module, n: int) -> torch.Tensor:
    """The matrix of an operator from one channel on n points."""
    return torch.cat([operator(e.view(1, 1, n)).flatten(1) for e in torch.eye(n, dtype=torch.float64)]).T.detach()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("ghost", GHOSTS)
def test_a_stencil_is_a_convolution_with_that_padding(ghost, stride):
    space = Space(Domain.unit(2), 2)
    stencil = Stencil(space, Space(Domain.unit(2), 3), stride=stride, ghost=ghost, bias=True).double()
    reference = torch.nn.Conv2d(2, 3, 3, stride, 1, padding_mode=ghost).double()
    reference.load_state_dict(stencil.state_dict())
    u = torch.randn(2, 2, 8, 7, dtype=torch.float64)
    torch.testing.assert_close(stencil(u), reference(u), rtol=0, atol=1e-14)


def test_the_boundary_conditions_choose_the_padding_face_by_face():
    space = Space(MIXED, 1)
    stencil = Stencil(space, space, 5).double()
    u = torch.randn(2, 1, 6, 7, dtype=torch.float64)
    expected = F.conv2d(pad(u, 2, (("zeros", "replicate"), ("circular", "circular"))), stencil.weight)
    torch.testing.assert_close(stencil(u), expected, rtol=0, atol=1e-14)
    assert ghosts(MIXED) == stencil.faces


@pytest.mark.parametrize(("kernel", "stride", "ghost"), list(itertools.product([3, 5], [1, 2], GHOSTS)))
def test_the_norm_bound_holds_on_every_grid(kernel, stride, ghost):
    torch.manual_seed(1)
    # Kernels that lean to one side, where repeated boundary points weigh most.
    for weight in (torch.eye(kernel)[0], torch.eye(kernel)[-1], torch.rand(kernel), torch.randn(kernel)):
        stencil = Stencil(line(), line(), kernel, stride, ghost=ghost).double()
        stencil.weight.data[0, 0] = weight.double()
        for n in range(kernel // 2 + 1, 12):
            coarse = dense(stencil, n)
            scale = (n / coarse.shape[0]) ** 0.5  # L2 weighs a point by its cell
            assert scale * torch.linalg.matrix_norm(coarse, 2) <= stencil.norm_bound() * (1 + 1e-12)


@pytest.mark.parametrize("ghost", GHOSTS)
def test_the_bound_of_a_prolongation_holds_on_every_grid(ghost):
    torch.manual_seed(2)
    for kernel, padding in ((4, 1), (2, 0), (6, 2)):
        P = Prolongation(line(), line(), kernel, padding=padding, ghost=ghost).double()
        for n in range(2, 12):
            fine = dense(P, n)
            assert fine.shape[0] == 2 * n
            assert torch.linalg.matrix_norm(fine, 2) / 2**0.5 <= P.norm_bound() * (1 + 1e-12)


def test_the_bound_is_attained_by_averages_of_periodic_functions():
    domain = Domain.unit(2, "periodic")
    stencil = Stencil(Space(domain), Space(domain))
    stencil.weight.data.abs_()
    assert stencil.norm_bound() == pytest.approx(float(stencil.weight.detach().sum()), rel=1e-6)


def test_no_bound_where_grids_do_not_have_the_ratio_of_the_stride():
    vertices = Space(Domain.unit(1), 1, "vertex")
    assert Stencil(vertices, vertices, stride=2).norm_bound() is None
    assert Stencil(line(), line(), padding=0).norm_bound() is None
    assert Prolongation(line(), line(), 3).norm_bound() is None


def test_prolongation_of_zeros_is_the_transposed_convolution():
    P = Prolongation(Space(Domain.unit(2), 3), Space(Domain.unit(2), 2)).double()
    u = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(P(u), F.conv_transpose2d(u, P.weight, stride=2, padding=1), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("kernel", "padding", "points"), [(4, 1, 10), (3, 1, 9), (3, 0, 11), (4, 0, 12)])
@pytest.mark.parametrize("ghost", GHOSTS)
def test_published_kernels_have_their_sizes(kernel, padding, points, ghost):
    P = Prolongation(line(), line(), kernel, padding=padding, ghost=ghost)
    assert P(torch.randn(1, 1, 5)).shape == (1, 1, points)


@pytest.mark.parametrize("ghost", GHOSTS)
def test_prolongation_sees_the_ghost_values(ghost):
    """On a long line that was padded by hand, away from its ends, P gives the same."""
    P = Prolongation(line(), line(), ghost=ghost).double()
    u = torch.randn(1, 1, 6, dtype=torch.float64)
    by_hand = F.conv_transpose1d(pad(u, 2, ((ghost, ghost),)), P.weight, stride=2, padding=1)[..., 4:-4]
    torch.testing.assert_close(P(u), by_hand, rtol=0, atol=1e-14)


def test_a_bias_is_confessed():
    stencil = Stencil(line(), line(), bias=True)
    assert "affine" in stencil.tags
    assert "affine" in (stencil + Stencil(line(), line())).tags
    assert "affine" in (Stencil(line(), line()) @ stencil).tags
    with pytest.raises(TypeError, match="affine"):
        stencil.adjoint()


def test_errors_say_what_to_do():
    with pytest.raises(NotImplementedError, match="odd kernel"):
        Stencil(line(), line(), padding=0).adjoint()
    with pytest.raises(NotImplementedError, match=r"kernel - 2 padding = stride"):
        Prolongation(line(), line(), 3).adjoint()


def test_only_periodic_stencils_claim_to_commute_with_shifts():
    periodic = Space(Domain.unit(1, "periodic"))
    assert "translation_equivariant" in Stencil(periodic, periodic).tags
    assert "translation_equivariant" not in Stencil(periodic, periodic, stride=2).tags
    assert "translation_equivariant" not in Stencil(line(), line()).tags
