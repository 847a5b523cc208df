"""How the learned cycles of a network are built."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from vcycle.operators import Level, LinearOperator, Multigrid, Prolongation, Smoother, Stencil
from vcycle.spaces import Ghost, Space

Start = Literal["iterate", "zero"]
Sharing = Literal["steps", "levels"]


@dataclass(frozen=True)
class Cycle:
    """The shape of a learned cycle: A, S, R, Pi and P are stencils.

    `iterations` holds (pre, post) smoothing steps per level, fine to coarse; the coarsest level has no post-smoothing.
    `residual` restricts f - A u (textbook) instead of f (P0 as released).
    `start` is what a coarse grid begins with: 'iterate', Pi u (P0), or 'zero' (textbook; there is no Pi).
    `gamma` is the number of corrections from each coarser grid: 1 for V-cycles, 2 for W-cycles.
    `shared`: None for stencils of their own everywhere, 'steps' for one S and one A per level, 'levels' for one S, A,
    R, Pi and P in the whole cycle.
    `ghost` continues fields beyond the boundary for A, S, R and Pi, `prolongation_ghost` for P (None: as the boundary
    conditions say).
    The other fields exist for the released variants of P0: a bias in A and S, channels that grow like 1, 2, 3, ...
    with the level, other paddings of R and Pi, (kernel, padding) of P per level, and a LayerNorm per level over a
    fixed grid (grid, affine), which makes the cycle non-linear.
    """

    iterations: tuple[tuple[int, int], ...]
    residual: bool = False
    start: Start = "iterate"
    gamma: int = 1
    shared: Sharing | None = None
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
        if self.start not in get_args(Start):
            raise ValueError(f"a coarse grid starts from 'iterate' (Pi u) or 'zero', got start={self.start!r}")
        if self.shared not in (None, *get_args(Sharing)):
            raise ValueError(f"stencils are shared by 'steps', by 'levels' or not at all (None), got {self.shared!r}")
        if self.iterations[0][0] < 1:
            raise ValueError(
                f"the finest level starts from u = 0 and needs one pre-smoothing step or more, got {self.iterations[0]}"
            )
        if self.start == "zero" and any(pre < 1 for pre, _ in self.iterations):
            raise ValueError(
                f"with start='zero' every level needs one pre-smoothing step or more, got {list(self.iterations)}"
            )
        if self.iterations[-1][1] != 0:
            raise ValueError(
                f"the coarsest level has no correction to smooth after: its iterations are (steps, 0), got "
                f"{self.iterations[-1]}"
            )

    def build(self, source: Space, target: Space) -> Multigrid:
        """A new cycle with random stencils, from right-hand sides in `source` to solutions in `target`."""
        stencils = _Stencils(self, source, target)
        levels = [self._level(level, stencils) for level in range(len(self.iterations))]
        return Multigrid(source, target, levels, gamma=self.gamma)

    def _level(self, level: int, stencils: "_Stencils") -> Level:
        pre, post = self.iterations[level]
        # A grid that is entered once, and with u = 0, needs no A for its first step.
        from_zero = level == 0 or (self.start == "zero" and self.gamma == 1)

        def smoother(step: int) -> Smoother:
            S = stencils("S", level, step)
            return Smoother(S, None if from_zero and step == 0 else stencils("A", level, step))

        before = [smoother(step) for step in range(pre)]
        after = [smoother(pre + step) for step in range(post)]
        if level + 1 == len(self.iterations):
            return Level(before, after)
        return Level(
            before,
            after,
            A=stencils("A", level, pre + post) if self.residual else None,
            R=stencils("R", level),
            Pi=stencils("Pi", level) if self.start == "iterate" else None,
            P=stencils("P", level),
            norm=self._norm(level, stencils.spaces(level)[1]),
        )

    def _norm(self, level: int, u: Space) -> nn.Module | None:
        if self.norms is None:
            return None
        grid, affine = self.norms[level]
        return nn.LayerNorm([u.channels, *grid], elementwise_affine=affine)


class _Stencils:
    """The stencils of one cycle by name: a new one for every use, or the one that its uses share."""

    def __init__(self, cycle: Cycle, source: Space, target: Space):
        self.cycle, self.source, self.target = cycle, source, target
        self.drawn: dict[tuple[str | int, ...], LinearOperator] = {}

    def __call__(self, name: str, level: int, step: int = 0) -> LinearOperator:
        use = (name, level, step)
        key = use[: {None: 3, "steps": 2, "levels": 1}[self.cycle.shared]]
        if key not in self.drawn:
            self.drawn[key] = self._new(name, level)
        return self.drawn[key]

    def spaces(self, level: int) -> tuple[Space, Space]:
        """Where f and u of a level live."""
        factor = level + 1 if self.cycle.growing else 1
        f, u = (Space(s.domain, factor * s.channels, s.placement) for s in (self.source, self.target))
        return f, u

    def _new(self, name: str, level: int) -> LinearOperator:
        cycle, (f, u) = self.cycle, self.spaces(level)
        if name == "S":
            return Stencil(f, u, ghost=cycle.ghost, bias=cycle.bias)
        if name == "A":
            return Stencil(u, f, ghost=cycle.ghost, bias=cycle.bias)
        coarse_f, coarse_u = self.spaces(level + 1)
        if name == "P":
            kernel, padding = (4, 1) if cycle.prolongations is None else cycle.prolongations[level]
            return Prolongation(coarse_u, u, kernel, padding=padding, ghost=cycle.prolongation_ghost)
        fine, coarse = (f, coarse_f) if name == "R" else (u, coarse_u)
        return Stencil(fine, coarse, stride=2, ghost=cycle.ghost, padding=cycle.restriction_padding)
