import pytest
import torch

from vcycle.networks import Implicit
from vcycle.networks.equilibrium import NotConverged
from vcycle.operators import count_parameters
from vcycle.spaces import Domain

SMALL = {"width": 4, "modes": 3, "levels": 2}
STEPS = ["spectral", "graph", "subhomogeneous", "cycle"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_step_lives_in_every_dimension(step, dimension):
    network = Implicit(2, 1, step=step, domain=Domain.unit(dimension, "neumann"), **SMALL)
    x = torch.randn(2, 2, *(4, 6, 8)[:dimension])
    network(x).square().sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("step", STEPS)
def test_an_exported_program_takes_all_its_steps(step):
    network = Implicit(1, 1, step=step, most=4, tolerance=1e-30, **SMALL)
    x = torch.randn(1, 1, 8, 8)
    answer = torch.export.export(network, (x,)).module()(x)
    if network.equilibrium.step.rate is None:  # nothing proves that the next steps would converge
        assert bool(answer.isnan().all())
    else:
        torch.testing.assert_close(answer, network(x), rtol=1e-5, atol=1e-5)


def _mesh() -> list:
    centres = (torch.arange(8) + 0.5) / 8
    return [[v.tolist() for v in torch.meshgrid(centres, centres, indexing="ij")]]


def test_parameters_do_not_depend_on_the_iterations_and_more_can_be_asked_for():
    few, many = (Implicit(1, 1, most=most, tolerance=1e-12, **SMALL) for most in (3, 60))
    assert count_parameters(few) == count_parameters(many)
    many.load_state_dict(few.state_dict())
    x = torch.randn(2, 1, 8, 8)
    residuals = [network.equilibrium.solve(_lifted(network, x)).residual.max() for network in (few, many)]
    assert residuals[1] < 1e-3 * residuals[0]


def _lifted(network: Implicit, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network.lift(torch.cat([x, torch.tensor(_mesh()).expand(2, -1, -1, -1)], 1))


def test_a_smooth_input_has_one_image_at_all_resolutions():
    """Spectral step: discretisation-invariant up to the stencil of the lift, which sees a constant here."""
    network = Implicit(1, 1, width=4, modes=3, coordinates=None, domain=Domain.unit(1, "neumann")).double().eval()
    coarse, fine = (network(torch.full((1, 1, n), 0.7, dtype=torch.float64)) for n in (16, 32))
    torch.testing.assert_close(coarse[..., 0], fine[..., 0])


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="no known Lipschitz constant"):
        Implicit(1, 1, activation="star")
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        Implicit(1, 1, rate=1.5)
    with pytest.raises(ValueError, match="2 points or more"):
        Implicit(1, 1, step="cycle", **SMALL)(torch.zeros(1, 1, 1, 8))
    network = Implicit(1, 1, step="cycle", activation="identity", **SMALL).eval()
    for p in network.equilibrium.parameters():
        p.data.fill_(1.0)
    with pytest.raises(NotConverged, match="no fixed point"):
        network(torch.randn(1, 1, 8, 8))
