import pytest
import torch

from vcycle.networks.checks import check_field, did_you_mean
from vcycle.spaces import Domain


def test_names_far_from_all_others_get_the_list():
    assert did_you_mean("xyz", ["gelu", "relu"]) == ": expected one of gelu, relu"


@pytest.mark.parametrize("shape", [(2, 3, 8), (2, 3, 8, 8, 8), (2, 1, 8, 8)])
def test_other_shapes_are_refused_with_the_expected_one(shape):
    with pytest.raises(ValueError, match=r"\(b, 3, x, y\)"):
        check_field("FNO", torch.zeros(shape), 3, Domain.unit(2))


def test_a_fitting_field_passes():
    check_field("FNO", torch.zeros(2, 3, 8, 9), 3, Domain.unit(2))
