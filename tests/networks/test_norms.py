import torch

from vcycle.networks.norms import normalisation
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(2), 4)


def test_layer_acts_on_the_channels_of_a_point():
    norm = normalisation("layer", SPACE).double()
    u = torch.randn(3, 4, 5, 6, dtype=torch.float64)
    out = norm(u)
    torch.testing.assert_close(out.mean(1), torch.zeros(3, 5, 6, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(out[..., 2:3], norm(u[..., 2:3]))
    assert norm.weight.shape == (4,)
