import pytest
import torch

from vcycle.networks.norms import ChannelNorm
from vcycle.networks.transformer_block import BlockOptions, Residual, TransformerBlock
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(2), 8)
N = ChannelNorm(SPACE).double()


def field(seed: int = 1) -> torch.Tensor:
    return torch.randn(2, 8, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def f(u: torch.Tensor) -> torch.Tensor:
    return 3 * u.flip(1).square() - 1


def size(u: torch.Tensor) -> torch.Tensor:
    """Root mean square over the channels, at every point."""
    return u.detach().square().mean(1).sqrt()


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ("none", lambda u: u + f(u)),
        ("pre", lambda u: u + f(N(u))),
        ("post", lambda u: N(u + f(u))),
        ("peri", lambda u: u + 0.125 * N(f(N(u)))),
    ],
)
def test_placements(placement, expected):
    u = field()
    torch.testing.assert_close(Residual(SPACE, placement).double()(u, f), expected(u), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_peri_norms_bound_every_step_by_construction(scale):
    """The size of what is added is at most max |g| + |c|, at the start 1/8, whatever the weights inside."""
    torch.manual_seed(0)
    options = BlockOptions(heads=2, norm_placement="peri", coordinates=2)
    blocks = [TransformerBlock(SPACE, options).double() for _ in range(5)]
    with torch.no_grad():
        for block in blocks:
            for part in (block.attention, block.mlp):
                for p in part.parameters():
                    p.copy_(scale * torch.randn_like(p))
    u, x = field(), torch.rand(2, 2, 4, 5, dtype=torch.float64)
    before = size(u)
    for block in blocks:
        u = block(u, x)
    assert bool((size(u) <= before + 0.125 * 2 * len(blocks)).all())


def test_peri_bound_with_learned_factors():
    residual = Residual(SPACE, "peri").double()
    with torch.no_grad():
        residual.inside.weight.uniform_(-2, 2)
        residual.inside.bias.uniform_(-1, 1)
    g, c = residual.inside.weight.detach(), residual.inside.bias.detach()
    u = field()
    step = residual(u, lambda v: 1e4 * f(v)) - u
    assert bool((size(step) <= g.abs().max() + c.square().mean().sqrt() + 1e-12).all())


def test_without_norms_a_step_is_as_large_as_its_weights():
    def step(placement: str) -> torch.Tensor:
        return Residual(SPACE, placement).double()(field(), lambda v: 1e6 * f(v))

    assert min(float(size(step(placement) - field()).max()) for placement in ("none", "pre")) > 1e6
    after = step("post")
    torch.testing.assert_close(size(after), torch.ones(2, 4, 5, dtype=torch.float64), rtol=1e-10, atol=0)


@pytest.mark.parametrize("placement", ["none", "pre", "post", "peri"])
def test_a_block_commutes_with_permutations_of_the_tokens(placement):
    torch.manual_seed(0)
    block = TransformerBlock(SPACE, BlockOptions(heads=4, norm_placement=placement, coordinates=2)).double()
    u, x = field(), torch.rand(2, 2, 4, 5, dtype=torch.float64)
    order = torch.randperm(20)

    def shuffled(v: torch.Tensor) -> torch.Tensor:
        return v.flatten(2)[..., order].unflatten(2, (4, 5))

    torch.testing.assert_close(block(shuffled(u), shuffled(x)), shuffled(block(u, x)), rtol=1e-11, atol=1e-12)
