import pytest
import scipy.sparse
import torch

from vcycle.operators import Matrix
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(2), 2)
GRID = (3, 4)


def random_matrix() -> scipy.sparse.coo_array:
    return scipy.sparse.random_array((24, 24), density=0.2, rng=3)


def test_it_multiplies_fields_in_row_major_order():
    matrix = random_matrix()
    u = torch.randn(2, 2, *GRID, dtype=torch.float64)
    expected = (u.flatten(1) @ torch.from_numpy(matrix.toarray()).T).view_as(u)
    torch.testing.assert_close(Matrix(SPACE, SPACE, matrix, GRID)(u), expected, rtol=0, atol=1e-14)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_scipy_and_torch_formats_make_the_same_operator():
    matrix = random_matrix()
    u = torch.randn(1, 2, *GRID, dtype=torch.float64)
    expected = Matrix(SPACE, SPACE, matrix, GRID)(u)
    dense = torch.from_numpy(matrix.toarray())
    for other in (matrix.tocsr(), matrix.tocsc(), dense.to_sparse_csr(), dense.to_sparse_coo()):
        assert torch.equal(Matrix(SPACE, SPACE, other, GRID)(u), expected)


def test_repeated_entries_are_summed():
    matrix = scipy.sparse.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(24, 24))
    assert Matrix(SPACE, SPACE, matrix, GRID).to_scipy().toarray()[0, 1] == 3.0


def test_it_gives_its_matrix_back():
    matrix = random_matrix()
    assert abs(Matrix(SPACE, SPACE, matrix, GRID).to_scipy() - matrix.tocsr()).max() == 0


def test_a_self_adjoint_matrix_is_its_own_adjoint():
    operator = Matrix(SPACE, SPACE, scipy.sparse.eye_array(24), GRID, tags=frozenset({"self_adjoint"}))
    assert operator.adjoint() is operator


def test_errors_name_what_was_expected():
    with pytest.raises(ValueError, match=r"expected \(24, 24\)"):
        Matrix(SPACE, SPACE, scipy.sparse.eye_array(5), GRID)
    with pytest.raises(ValueError, match=r"assembled on a grid of shape \(3, 4\)"):
        Matrix(SPACE, SPACE, random_matrix(), GRID)(torch.zeros(1, 2, 4, 4))
