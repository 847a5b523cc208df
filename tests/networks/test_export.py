"""Networks leave Python as a torch.export program of a fixed shape."""

import pytest
import torch

from vcycle.networks import FNO, MgNO, Normalised
from vcycle.operators import Affine
from vcycle.spaces import Domain


@pytest.mark.parametrize(("kind", "boundary"), [(MgNO, "dirichlet"), (MgNO, "mixed"), (FNO, "periodic")])
def test_the_exported_program_computes_the_same(kind, boundary):
    mixed = Domain([1.0, 1.0], ["periodic", ("dirichlet", "neumann")])
    domain = mixed if boundary == "mixed" else Domain.unit(2, boundary)
    options = {"levels": 3} if kind is MgNO else {"modes": 4, "padding": 0.1, "norm": "instance"}
    network = kind(2, 1, width=4, depth=2, domain=domain, **options)
    network = Normalised(network, Affine.identity(2, 2), Affine.identity(1, 2), log=[True, False], zero_mean=True)
    x = torch.rand(3, 2, 16, 8) + 0.5
    program = torch.export.export(network.eval(), (x,))
    torch.testing.assert_close(program.module()(x), network(x), rtol=1e-6, atol=1e-6)


def test_an_exported_fno_has_no_complex_numbers():
    program = torch.export.export(FNO(1, 1, width=4, depth=1, modes=4), (torch.randn(1, 1, 8, 8),))
    tensors = [node.meta["val"] for node in program.graph.nodes if isinstance(node.meta.get("val"), torch.Tensor)]
    assert tensors
    assert not any(value.is_complex() for value in tensors)


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic"])
@pytest.mark.parametrize("options", [{"basis": "domain"}, {"basis": "sine", "separable": True}], ids=str)
def test_the_basis_of_a_domain_is_exported(options, boundary):
    """Also on a grid seen first by inference or by the export itself, and gradients survive both."""
    network = FNO(1, 1, width=4, depth=1, modes=4, **options, domain=Domain.unit(2, boundary))
    sizes = iter([(10, 12), (11, 13)])
    x = torch.randn(2, 1, *next(sizes))
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), network(x), rtol=1e-6, atol=1e-6)
    network(x).sum().backward()
    x = torch.randn(2, 1, *next(sizes))
    with torch.inference_mode():
        network(x)
    network(x).sum().backward()
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), network(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("factorization", ["tucker", "cp", "tt"])
@pytest.mark.parametrize("basis", ["fourier", "cosine"])
def test_multipliers_of_low_rank_are_exported(factorization, basis):
    network = FNO(1, 1, width=4, depth=1, modes=4, basis=basis, factorization=factorization, rank=0.5)
    x = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), network(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("factorization", [None, "tucker", "cp", "tt"])
def test_a_program_takes_any_number_of_samples(factorization, dimension):
    """Also where the order of products, or how they are made, is chosen by the number of samples."""
    network = FNO(1, 1, width=8, depth=1, modes=4, factorization=factorization, domain=Domain.unit(dimension)).eval()
    x = torch.randn(25, 1, *(8,) * dimension)
    program = torch.export.export(network, (x[:3],), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    for count in (1, 3, 25):
        torch.testing.assert_close(program(x[:count]), network(x[:count]), rtol=1e-5, atol=1e-6)
