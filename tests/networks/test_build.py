import inspect

import pytest

from vcycle.networks import FNO, NETWORKS, MgNO, build
from vcycle.spaces import Domain


def test_a_name_and_options_make_a_network():
    periodic = Domain.unit(1, "periodic")
    network = build({"name": "fno", "width": 8, "depth": 1, "modes": [4]}, 2, 1, periodic)
    assert isinstance(network, FNO)
    assert (network.width, network.modes, network.domain) == (8, (4,), periodic)
    network = build({"name": "mgno", "iterations": [[1, 0], [2, 1], [2, 0]]}, 1, 1, Domain.unit(2))
    assert isinstance(network, MgNO)
    assert network.levels == 3


def test_every_network_is_built_from_its_name_alone():
    for name in NETWORKS:
        assert build({"name": name}, 1, 1, Domain.unit(1)) is not None


def test_typing_errors_are_answered_with_the_nearest_name():
    with pytest.raises(ValueError, match="unknown network 'mgn': did you mean 'mgno'"):
        build({"name": "mgn"}, 1, 1, Domain.unit(2))
    with pytest.raises(ValueError, match="unknown network None"):
        build({}, 1, 1, Domain.unit(2))
    with pytest.raises(ValueError, match="fno has no option 'mode': did you mean 'modes'"):
        build({"name": "fno", "mode": 3}, 1, 1, Domain.unit(2))
    with pytest.raises(ValueError, match="mgno has no option 'domain'"):
        build({"name": "mgno", "domain": Domain.unit(1)}, 1, 1, Domain.unit(2))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("value", [-3, 0])
def test_networks_without_channels_or_modes_are_refused(name, value):
    known = inspect.signature(NETWORKS[name]).parameters
    for option in {"width", "modes"} & set(known):
        with pytest.raises(ValueError, match=r"1 channel or more|each 1 or more|without channels"):
            NETWORKS[name](1, 1, **{option: value})


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [(-1, 1), (0, 1), (1, 0), (1, -1)])
def test_networks_without_inputs_or_outputs_are_refused(name, channels):
    with pytest.raises(ValueError, match=r"1 or more|1 channel or more"):
        NETWORKS[name](*channels)
