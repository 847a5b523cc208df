"""What of P18's released classes the vectors do not show: their sizes, other options, and what is refused."""

from typing import Any

import pytest
import torch

from vcycle.networks import from_authors
from vcycle.networks.authors import PUBLISHED
from vcycle.networks.renamed import Published
from vcycle.operators import count_parameters

SMALL = {"d_model": 8, "num_token": 2, "num_basis": 3, "patch_size": "1,1", "padding": "0,0"}
IRREGULAR = SMALL | {"in_dim": 3, "modes1": 3, "modes2": 4, "s1": 16, "s2": 32, "iphi_width": 4}


def published(name: str, **options: Any) -> Published:
    return PUBLISHED[name](name, options, {})


def foreign_state(published: Published) -> dict[str, torch.Tensor]:
    """The random weights of the module under their published names, complex ones as such."""
    state = {}
    for key, value in published.network.state_dict().items():
        name = published.foreign(key)
        assert name is not None
        state[name] = torch.view_as_complex(value) if "weights" in name and value.ndim == 5 else value
    return state


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("LSM_2D", {"d_model": 64, "patch_size": "6,6", "padding": "11,11"}, 19_187_457),  # Darcy
        ("LSM_2D", {"d_model": 64, "patch_size": "4,4", "padding": "0,0", "in_dim": 10}, 19_188_033),  # Navier-Stokes
        ("LSM_2D", {"d_model": 32, "patch_size": "3,3", "padding": "7,7"}, 4_812_801),  # elasticity, interpolated
        ("LSM_2D", {"d_model": 32, "patch_size": "14,4", "padding": "13,3", "in_dim": 2}, 4_812_833),  # airfoil
        ("LSM_2D", {"d_model": 48, "patch_size": "9,9", "padding": "15,15", "in_dim": 2}, 10_804_913),  # pipe
        (
            "LSM_3D",
            {"d_model": 32, "patch_size": "7,2,2", "padding": "12,1,11", "out_dim": 4},
            13_457_828,
        ),  # plasticity
    ],
)
def test_parameters_are_the_published_number(name, options, parameters):
    assert count_parameters(published(name, **options).network) == parameters


@pytest.mark.parametrize("bilinear", [True, False])
@pytest.mark.parametrize(
    ("name", "options", "grid"),
    [
        ("LSM_2D", {"patch_size": "1,2", "padding": "3,5"}, (11, 29)),  # the first number pads the last axis
        ("LSM_3D", {"patch_size": "1,1,2", "padding": "12,1,11"}, (5, 15, 20)),
    ],
)
def test_grids_with_padding(name, options, grid, bilinear):
    made = published(name, **SMALL | options, in_dim=2, out_dim=3, bilinear=bilinear)
    config = {"cls": name, "kwargs": SMALL | options | {"in_dim": 2, "out_dim": 3, "bilinear": bilinear}}
    network, x = from_authors(config, foreign_state(made)), torch.randn(1, *grid, 2)
    assert network(x).shape == (1, *grid, 3)
    assert torch.equal(network(x), made.network.eval()(x))


@pytest.mark.parametrize("code", [True, False])
def test_clouds_have_no_order_and_may_differ(code):
    made = published("LSM_Irregular_Geo", **IRREGULAR, use_code=code)
    config = {"cls": "LSM_Irregular_Geo", "kwargs": IRREGULAR | {"use_code": code}}
    network = from_authors(config, foreign_state(made)).double()
    noise = torch.Generator().manual_seed(1)
    values, source, target, shape = (
        torch.rand(2, *size, dtype=torch.float64, generator=noise) for size in ((9, 3), (9, 2), (5, 2), (42,))
    )
    shape = shape if code else None
    out = network(values, shape, source, target)
    assert out.shape == (2, 5, 1)
    order = torch.randperm(9, generator=noise)
    shuffled = network(values[:, order], shape, source[:, order], target.flip(1))
    torch.testing.assert_close(shuffled, out.flip(1), rtol=1e-9, atol=1e-12)


def test_exports():
    network = published("Model (+ IPHI)", **IRREGULAR | {"in_dim": 2}, use_code=True).network.eval()
    inputs = (torch.rand(1, 7, 2), torch.rand(1, 42))
    program = torch.export.export(network, inputs)
    torch.testing.assert_close(program.module()(*inputs), network(*inputs), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("LSM_2D", {"padding": "3,0"}, "crops an axis to nothing"),
        ("LSM_2D", {"patch_size": "3,3,3"}, r"got patch_size='3,3,3', expected 2 numbers"),
        ("LSM_3D", {}, "got patch_size='1,1', expected 3 numbers"),
        ("Model", {"padding": "3"}, "got padding='3', expected 2 numbers"),
        ("LSM_2D", {"d_model": 12}, "8 heads, so d_model must be a multiple of 8, got 12"),
        ("LSM_2D", {"d_modell": 12}, "unknown option 'd_modell': did you mean 'd_model'"),
        ("LSM_Irregular_Geo", {"use_iphi": False, "use_code": True}, "a code is read by the deformation alone"),
        ("LSM_Irregular_Geo", {"s1": 24}, "must be multiples of 16 times the patch"),
    ],
)
def test_what_cannot_be_expressed_is_refused_by_name(name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_authors({"cls": name, "kwargs": SMALL | options}, {})
