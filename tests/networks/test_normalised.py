import pytest
import torch
from torch import nn

from vcycle.networks import MgNO, Normalised
from vcycle.operators import Affine
from vcycle.spaces import Domain


def data() -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.randn(20, 2, 8, 8, dtype=torch.float64)
    inputs[:, 0] = inputs[:, 0].mul(3).exp()
    return inputs, 5 + 0.1 * torch.randn(20, 1, 8, 8, dtype=torch.float64)


def network() -> MgNO:
    return MgNO(2, 1, width=4, depth=1, levels=2)


class Seen(nn.Module):
    """Remembers its input and answers with its second channel."""

    def forward(self, x):
        self.seen = x
        return x[:, 1:]


def test_the_network_sees_zero_mean_and_unit_deviation():
    inputs, outputs = data()
    wrapped = Normalised.fit(Seen(), inputs, outputs, log=[True, False])
    answer = wrapped(inputs)
    seen = wrapped.network.seen
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(seen.std((0, 2, 3)), torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-4)
    assert float(answer.mean()) == pytest.approx(float(outputs.mean()))
    assert float(answer.std()) == pytest.approx(float(outputs.std()), rel=1e-3)


def test_logarithms_only_where_asked():
    inputs, _ = data()
    identity = Affine.identity(2, 2).double(), Affine.identity(1, 2).double()
    wrapped = Normalised(Seen(), *identity, log=[True, False])
    wrapped(inputs)
    assert torch.equal(wrapped.network.seen[:, 0], inputs[:, 0].log())
    assert torch.equal(wrapped.network.seen[:, 1], inputs[:, 1])


def test_gradients_pass_negative_values_of_plain_channels():
    inputs, outputs = data()
    wrapped = Normalised.fit(network().double(), inputs, outputs, log=[True, False])
    inputs.requires_grad_()
    wrapped(inputs).sum().backward()
    assert bool(torch.isfinite(inputs.grad).all())


def test_zero_mean_outputs_have_zero_mean():
    inputs, outputs = data()
    wrapped = Normalised.fit(network(), inputs, outputs, zero_mean=True)
    means = wrapped(inputs.float()).detach().mean((2, 3))
    torch.testing.assert_close(means, torch.zeros(20, 1), rtol=0, atol=1e-6)


@pytest.mark.parametrize("pointwise", [False, True])
def test_the_state_dict_holds_everything(pointwise):
    inputs, outputs = data()
    fitted = Normalised.fit(network(), inputs, outputs, pointwise=pointwise, log=[True, False], zero_mean=True)
    empty = Normalised(network(), Affine.identity(2, 2), Affine.identity(1, 2))
    empty.load_state_dict(fitted.state_dict())
    assert torch.equal(empty(inputs.float()), fitted(inputs.float()))


def test_it_has_the_precision_of_the_network():
    inputs, outputs = data()
    assert Normalised.fit(network(), inputs, outputs)(inputs.float()).dtype == torch.float32
    assert Normalised.fit(network().double(), inputs, outputs)(inputs).dtype == torch.float64


def test_errors_say_what_to_do():
    inputs, outputs = data()
    with pytest.raises(ValueError, match="got 1 log flags for 2 input channels"):
        Normalised.fit(network(), inputs, outputs, log=[True])
    with pytest.raises(ValueError, match="must be positive, got values down to -"):
        Normalised.fit(network(), inputs, outputs, log=[True, True])
    assert Domain.unit(2) == network().domain
