import itertools

import numpy as np
import torch

from vcycle.networks.star import Star
from vcycle.spaces import Domain, Space


def star(channels: int) -> Star:
    return Star(Space(Domain.unit(1), channels)).double()


def test_one_channel_is_exactly_the_square():
    act = star(1)
    for part in (act.left, act.right):
        part.weight.data.fill_(1.0)
        part.bias.data.zero_()
    u = torch.randn(2, 1, 9, dtype=torch.float64)
    assert torch.equal(act(u), u * u)


def test_a_product_of_two_fields_comes_out_exactly():
    """With u and its derivative as channels: the advection u u_x."""
    act = star(2)
    for part, chosen in ((act.left, 0), (act.right, 1)):
        part.weight.data.zero_()
        part.weight.data[:, chosen] = 1.0
        part.bias.data.zero_()
    u = torch.randn(3, 2, 9, dtype=torch.float64)
    assert torch.equal(act(u)[:, :1], u[:, :1] * u[:, 1:])


def test_every_output_is_a_quadratic_form():
    """Regression on the (d + 1)(d + 2) / 2 monomials up to degree 2 leaves nothing, on fewer something."""
    d = 3
    u = torch.randn(1, d, 40, dtype=torch.float64)
    value = star(d)(u)[0, 0].detach().numpy()
    with_one = np.vstack([np.ones(40), u[0].numpy()])
    pairs = list(itertools.combinations_with_replacement(range(d + 1), 2))
    assert len(pairs) == (d + 1) * (d + 2) // 2
    monomials = np.array([with_one[i] * with_one[j] for i, j in pairs]).T
    rest = [value - m @ np.linalg.lstsq(m, value, rcond=None)[0] for m in (monomials, monomials[:, :-1])]
    assert np.abs(rest[0]).max() < 1e-12 < 1e-6 < np.abs(rest[1]).max()


def test_two_layers_have_degree_four():
    act = torch.nn.Sequential(star(1), star(1))
    u = torch.arange(7, dtype=torch.float64)[None, None]
    differences = np.diff(act(u).detach().numpy()[0, 0], n=4)
    assert np.abs(differences).min() > 1e-6
    assert np.abs(np.diff(differences)).max() < 1e-9
