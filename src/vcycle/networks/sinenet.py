"""SineNet: a chain of thin U-Nets."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_counts
from vcycle.networks.convolution_block import LayerOptions
from vcycle.networks.coordinates import CoordinatesOrAuto
from vcycle.networks.norms import NormName
from vcycle.networks.stencil_network import StencilNetwork
from vcycle.networks.wave import PoolingName, Wave, WaveOptions
from vcycle.operators import Stencil, count_parameters
from vcycle.operators.resampling import InterpolationName
from vcycle.spaces import Domain, Ghost, Placement, Space


class SineNet(StencilNetwork):
    """v_0 = L x,   v_k = v_{k-1} + U_k v_{k-1}  for k = 1, ..., waves,   u = Q v_waves.

    L and Q are stencils with a bias, every wave U_k is a U-Net of its own (networks.Wave). A U-Net has to move features
    across the domain while its skips stay where they are; each of several thin ones moves them a little only.

    width            channels at the finest level
    waves            number of U-Nets
    levels           grids of a wave, each with half the points; every axis must be divisible by 2^(levels - 1)
    multiplier       grid i = 0, 1, ... has int(width multiplier^i) channels
    blocks           pairs of layers per block
    activation, norm     sigma and the normalisation before it: 'layer' takes mean and deviation of the channels of
                     a point, 'group' (as published) those of the whole sample
    disentangled     from the third grid on a block sees the pooled input of the wave too
    shortcut         a matrix around every block
    residual         the sum in v_{k-1} + U_k v_{k-1}
    pooling          'average' or 'max' of the 2^d cells of a coarse cell
    interpolation    from coarse to fine: 'cubic' (as torch), 'catmull_rom', 'linear' or 'constant'
    ghost            'zeros', 'circular', 'reflect' or 'replicate' at every face instead of the domain's conditions
    coordinates      of the unit box as further inputs: 'cells', 'corners', 'ends' or None; 'auto': cells where every
                     axis is periodic (StencilNetwork)
    resolution       the grid that the stencils belong to, best the training grid (StencilNetwork)
    placement        what the values of `resolution` stand for: 'cell' or 'vertex'

    On a periodic domain the network commutes with shifts by 2^(levels - 1) points. Published: width 64, 5 levels, 8
    waves with multiplier 1.425, or 6, 4, 2 with 1.5, 1.611, 1.8075: 35.5 million parameters each. Source: P59.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 24,
        waves: int = 4,
        levels: int = 4,
        multiplier: float = 1.2,
        blocks: int = 1,
        activation: str = "gelu",
        norm: NormName | None = "layer",
        disentangled: bool = True,
        shortcut: bool = True,
        residual: bool = True,
        pooling: PoolingName = "average",
        interpolation: InterpolationName = "cubic",
        ghost: Ghost | None = None,
        coordinates: CoordinatesOrAuto | None = "auto",
        resolution: int | Sequence[int] | None = None,
        placement: Placement = "cell",
        domain: Domain | None = None,
    ):
        super().__init__(in_channels, domain, coordinates, resolution, placement)
        check_counts("SineNet", waves=waves, blocks=blocks)
        self.levels, self.residual = levels, residual
        self.widths = tuple(int(width * multiplier**level) for level in range(levels))
        if levels < 2:
            raise ValueError(f"the waves of SineNet go down and up between grids: expected levels >= 2, got {levels}")
        if min(self.widths) < 1:
            raise ValueError(
                f"a level without channels: width {width} and multiplier {multiplier} give {self.widths} on "
                f"{levels} levels, expected 1 or more on each; take a larger width or multiplier"
            )
        layers = LayerOptions(activation, norm, ghost)
        options = WaveOptions(layers, blocks, disentangled, shortcut, pooling, interpolation)
        spaces = [Space(self.domain, n) for n in self.widths]
        self.lift = Stencil(Space(self.domain, self.seen_channels), spaces[0], ghost=ghost, bias=True)
        self.waves = nn.ModuleList(Wave(spaces, options) for _ in range(waves))
        self.project = Stencil(spaces[0], Space(self.domain, out_channels), ghost=ghost, bias=True)

    def on_grid(self, x: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        divisor = 2 ** (self.levels - 1)
        if any(n % divisor for n in x.shape[2:]):
            raise ValueError(
                f"SineNet with {self.levels} levels halves the grid {self.levels - 1} times, so every axis must be "
                f"divisible by {divisor}, got {tuple(x.shape[2:])}: take fewer levels or another resolution"
            )
        v = self.lift(x)
        for wave in self.waves:
            v = v + wave(v) if self.residual else wave(v)
        return self.project(v)

    def extra_repr(self) -> str:
        return f"channels={self.widths}, {count_parameters(self)} parameters"
