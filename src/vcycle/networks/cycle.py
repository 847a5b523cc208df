"""How the learned V-cycles of a network are built."""

from dataclasses import dataclass

from torch import nn

from vcycle.operators import Level, Multigrid, Prolongation, Smoother, Stencil
from vcycle.spaces import Ghost, Space


@dataclass(frozen=True)
class Cycle:
    """The shape of a learned V-cycle: every A, S, R, Pi and P is a stencil of its own.

    `iterations` holds (pre, post) smoothing steps per level, fine to coarse; the coarsest level has no post-smoothing.
    `residual` restricts f - A u (textbook) instead of f (P0 as released).
    `ghost` continues fields beyond the boundary for A, S, R and Pi, `prolongation_ghost` for P (None: as the boundary
    conditions say).
    The other fields exist for the released variants of P0: a bias in A and S, channels that grow like 1, 2, 3, ...
    with the level, other paddings of R and Pi, (kernel, padding) of P per level, and a LayerNorm per level over a
    fixed grid (grid, affine), which makes the cycle non-linear.
    """

    iterations: tuple[tuple[int, int], ...]
    residual: bool = False
    ghost: Ghost | None = None
    prolongation_ghost: Ghost | None = None
    bias: bool = False
    growing: bool = False
    restriction_padding: int = 1
    prolongations: tuple[tuple[int, int], ...] | None = None
    norms: tuple[tuple[tuple[int, ...], bool], ...] | None = None

    def __post_init__(self) -> None:
        if not self.iterations:
            raise ValueError("a V-cycle needs one level or more, got no iterations")
        if self.iterations[0][0] < 1:
            raise ValueError(
                f"the finest level starts from u = 0 and needs one pre-smoothing step or more, got {self.iterations[0]}"
            )
        if self.iterations[-1][1] != 0:
            raise ValueError(
                f"the coarsest level has no correction to smooth after: its iterations are (steps, 0), got "
                f"{self.iterations[-1]}"
            )

    def build(self, source: Space, target: Space) -> Multigrid:
        """A new V-cycle with random stencils, from right-hand sides in `source` to solutions in `target`."""
        levels = [self._level(level, source, target) for level in range(len(self.iterations))]
        return Multigrid(source, target, levels)

    def _level(self, level: int, source: Space, target: Space) -> Level:
        pre, post = self.iterations[level]
        f, u = self._space(source, level), self._space(target, level)

        def smoother(first: bool = False) -> Smoother:
            S = Stencil(f, u, ghost=self.ghost, bias=self.bias)
            return Smoother(S, None if first else Stencil(u, f, ghost=self.ghost, bias=self.bias))

        before = [smoother(first=level == 0 and step == 0) for step in range(pre)]
        after = [smoother() for _ in range(post)]
        if level + 1 == len(self.iterations):
            return Level(before, after)
        coarse_f, coarse_u = self._space(source, level + 1), self._space(target, level + 1)
        kernel, padding = (4, 1) if self.prolongations is None else self.prolongations[level]
        return Level(
            before,
            after,
            A=Stencil(u, f, ghost=self.ghost, bias=self.bias) if self.residual else None,
            R=Stencil(f, coarse_f, stride=2, ghost=self.ghost, padding=self.restriction_padding),
            Pi=Stencil(u, coarse_u, stride=2, ghost=self.ghost, padding=self.restriction_padding),
            P=Prolongation(coarse_u, u, kernel, padding=padding, ghost=self.prolongation_ghost),
            norm=self._norm(level, u),
        )

    def _norm(self, level: int, u: Space) -> nn.Module | None:
        if self.norms is None:
            return None
        grid, affine = self.norms[level]
        return nn.LayerNorm([u.channels, *grid], elementwise_affine=affine)

    def _space(self, space: Space, level: int) -> Space:
        factor = level + 1 if self.growing else 1
        return Space(space.domain, factor * space.channels, space.placement)
