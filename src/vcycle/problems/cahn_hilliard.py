"""The Cahn-Hilliard equation u_t = lap(u^3 - u - eps^2 lap u): an alloy that separates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vcycle.problems.base import Field, PerSample
from vcycle.problems.walled import WalledEvolution
from vcycle.solvers import ModalGrid, Semilinear, fitting_grid
from vcycle.solvers.modal_grid import Spectrum
from vcycle.spaces import Condition, Domain


@dataclass(frozen=True)
class CahnHilliard(WalledEvolution):
    """u_t = M lap(u^3 - u - eps^2 lap u) in one, two or three dimensions; no flow through Neumann faces: u(0) -> u(T).

    width        eps: interfaces are tanh(x / (2^(1/2) eps)), about 4 eps wide
    mobility     M, which only sets the unit of time
    mean         the mean of the initial state: 0 gives winding domains, +-0.4 drops

    Behaviour: u is conserved, the energy, the integral of (1 - u^2)^2 / 4 + eps^2 |grad u|^2 / 2, decays. Waves of
    length 2 pi 2^(1/2) eps grow fastest, like exp(t M / (4 eps^2)); then the phases +-1 coarsen, ever more slowly.
    Good values: eps = 0.02 and T = 0.02 on the unit square at 64 x 64 (interfaces of 5 points), where the grid changes
    u by 0.2 %; steps are of the size eps^2 / (10 M).
    Source: Cahn and Hilliard, J. Chem. Phys. 28, 1958.
    """

    name: ClassVar[str] = "cahn_hilliard"
    title: ClassVar[str] = "the Cahn-Hilliard equation"
    equation: ClassVar[str] = "u_t = M lap(u^3 - u - eps^2 lap u)"
    conditions: ClassVar[tuple[Condition, ...]] = ("neumann",)

    domain: Domain = Domain.unit(2, "periodic")
    width: float = 0.02
    mobility: float = 1.0
    mean: float = 0.0
    time: float = 0.02
    alpha: float = 4.0
    tau: float = 20.0
    amplitude: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("width", "mobility"):
            self.require_positive(name, getattr(self, name))

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        return self.mean + super().initial(shape, seed, indices)

    def evolution(self, grid: ModalGrid) -> Semilinear:
        lap, keep = self.mobility * grid.laplacian, grid.resolved
        linear = -lap * (1 + self.width**2 * grid.laplacian)

        def nonlinear(u_hat: Spectrum) -> Spectrum:
            return lap * keep * grid.transform(grid.inverse(u_hat * keep) ** 3)

        return Semilinear(grid, linear, nonlinear)

    def energy(self, u: Field) -> PerSample:
        """The integral of (1 - u^2)^2 / 4 + eps^2 |grad u|^2 / 2."""
        grid = fitting_grid(self.domain, tuple(u.shape[2:]), u.device)
        tension = grid.inverse(-(self.width**2) * grid.laplacian * grid.transform(u))
        return self.integral((1 - u.square()).square() / 4 + u * tension / 2)
