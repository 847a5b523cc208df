import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from vcycle.operators import FiniteVolume, black_box_multigrid, geometric_multigrid, of_samples


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_an_operator_for_some_samples_does_to_them_what_it_does_in_the_batch(boundary):
    D, rows = domain(2, boundary), torch.tensor([False, True, True, False])
    a = PRIORS["contrast 100"].sample(D, (12, 10), 1, range(4))
    A, u = FiniteVolume.assemble(a, D, torch.ones_like(a)), torch.randn_like(a)
    for W in (A, geometric_multigrid(A), black_box_multigrid(A)):
        torch.testing.assert_close(of_samples(W, rows)(u[rows]), W(u)[rows])


def test_what_all_samples_share_stays_theirs():
    D, rows = domain(2, "dirichlet"), torch.tensor([True, False, True])
    A, u = FiniteVolume.assemble(torch.rand(1, 1, 6, 5).double() + 1, D), torch.randn(3, 1, 6, 5).double()
    torch.testing.assert_close(of_samples(A, rows)(u[rows]), A(u)[rows])
