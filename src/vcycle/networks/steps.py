"""Maps with a fixed point: by contraction in L2, in the maximum norm, by subhomogeneity, or to be checked."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vcycle.networks.activations import activation
from vcycle.networks.checks import did_you_mean
from vcycle.networks.cycle import Cycle
from vcycle.networks.equilibrium import Step
from vcycle.operators import BoundedSpectral, Stencil
from vcycle.spaces import Space, ghosts, pad

# max |sigma'| of the activations that have one; gelu and silu overshoot 1.
LIPSCHITZ = {"relu": 1.0, "leaky_relu": 1.0, "tanh": 1.0, "sine": 1.0, "softplus": 1.0, "elu": 1.0, "identity": 1.0}
LIPSCHITZ |= {"gelu": 1.12905, "silu": 1.09984, "sigmoid": 0.25}
SHIFT = 1.2  # sup |y tanh'(y)| / (tanh(y) + 1.2) = 0.9991 < 1


class SpectralStep(Step):
    """T(z; c) = sigma(W z + c) with ||W|| <= rate / Lip(sigma): a contraction in L2 with that rate, for any parameters.

    W is a spectral operator of bounded norm (operators.BoundedSpectral) in the basis that fits the boundary conditions.
    """

    def __init__(self, space: Space, modes: Sequence[int], rate: float, sigma: str):
        super().__init__()
        if sigma not in LIPSCHITZ:
            raise ValueError(
                f"activation {sigma!r} has no known Lipschitz constant, which a contraction needs"
                f"{did_you_mean(sigma, list(LIPSCHITZ))}"
            )
        if not 0 < rate < 1:
            raise ValueError(f"the rate of a contraction lies between 0 and 1, got {rate}: 0.8 is a good value")
        self.channels = self.context = space.channels
        self.rate, self.start = rate, 0.0
        self.W = BoundedSpectral(space, modes, rate / LIPSCHITZ[sigma])
        self.sigma = activation(sigma, space)

    def at(self, c: Float[Tensor, "b d *grid"]) -> Callable[[Tensor], Tensor]:
        matrices = self.W.matrices()
        return lambda z: self.sigma(self.W(z, matrices) + c)


class GraphStep(Step):
    """T(z; c)(x) = rate sum_y A(x, y; c) z(y) + b(x; c) over the neighbours y of x and x itself, per channel.

    A is a softmax over the neighbours, so its rows sum to 1 at most and T contracts in the maximum norm with `rate`;
    it is linear in z, with one solution (I - rate A)^-1 b. The weights come from the input: a solver made to measure.
    Source: P2, section 3, on the graph of a grid.
    """

    def __init__(self, space: Space, rate: float):
        super().__init__()
        if not 0 < rate < 1:
            raise ValueError(f"the rate of a contraction lies between 0 and 1, got {rate}: 0.8 is a good value")
        self.neighbours = 2 * space.domain.dimension + 1
        self.channels, self.context = space.channels, (self.neighbours + 1) * space.channels
        self.rate, self.start = rate, 0.0
        self.faces = ghosts(space.domain)

    def at(self, c: Float[Tensor, "b d *grid"]) -> Callable[[Tensor], Tensor]:
        scores, b = c.split([self.neighbours * self.channels, self.channels], 1)
        weights = scores.unflatten(1, (self.neighbours, self.channels)).softmax(1)
        return lambda z: self.rate * (weights * self._neighbourhood(z)).sum(1) + b

    def _neighbourhood(self, z: Tensor) -> Float[Tensor, "b s c *grid"]:
        padded, shape = pad(z, 1, self.faces), z.shape[2:]
        views = [z]
        for axis in range(len(shape)):
            others = padded
            for other, n in enumerate(shape):
                others = others if other == axis else others.narrow(other + 2, 1, n)
            views += [others.narrow(axis + 2, offset, shape[axis]) for offset in (0, 2)]
        return torch.stack(views, 1)


class SubhomogeneousStep(Step):
    """T(z; c) = tanh(|K| z) + relu(c) + 1.2, |K| a stencil with the absolute values of its weights.

    T maps positive fields to positive fields and |dT(z) z| <= 0.9991 T(z), so it contracts in the Thompson metric
    ||log z - log y||_inf: one fixed point, from every positive start, with no bound on the weights. Entries of K must
    not be negative: with signs the scalar inequality still holds and there can be three fixed points.
    The rate in L2 is not known, so convergence is checked. Source: P152, sections 3 and 4.
    """

    def __init__(self, space: Space, kernel: int = 3):
        super().__init__()
        self.channels = self.context = space.channels
        self.rate, self.start = None, 1.0
        self.K = Stencil(space, space, kernel)

    def at(self, c: Float[Tensor, "b d *grid"]) -> Callable[[Tensor], Tensor]:
        nonnegative, rest = {"weight": self.K.weight.abs()}, F.relu(c) + SHIFT
        return lambda z: torch.func.functional_call(self.K, nonnegative, (z,)).tanh() + rest


class CycleStep(Step):
    """T(z; c) = sigma(V z + c), V a learned V-cycle: the layer of MgNO applied to convergence, which is checked."""

    def __init__(self, space: Space, levels: int, sigma: str):
        super().__init__()
        self.channels = self.context = space.channels
        self.rate, self.start = None, 0.0
        self.V = Cycle(((1, 0),) * (levels - 1) + ((2, 0),)).build(space, space)
        self.sigma = activation(sigma, space)

    def at(self, c: Float[Tensor, "b d *grid"]) -> Callable[[Tensor], Tensor]:
        return lambda z: self.sigma(self.V(z) + c)


def banach_steps(rate: float, tolerance: float) -> int:
    """How many Picard steps a contraction with this rate needs to shrink the residual by `tolerance`.

    >>> banach_steps(0.5, 1e-6)
    20
    """
    return math.ceil(math.log(tolerance) / math.log(rate))
