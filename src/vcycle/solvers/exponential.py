"""One step of a semilinear equation: schemes of fourth order that treat the linear part exactly."""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from vcycle.solvers.modal_grid import Spectrum
from vcycle.solvers.semilinear import Semilinear

Symbol = Float[Tensor, "..."] | Complex[Tensor, "..."]
CONTOUR_POINTS = 24


class Scheme(ABC):
    """u_hat at time t to u_hat at time t + h."""

    def __init__(self, equation: Semilinear, step: float):
        self.equation, self.step = equation, step

    @abstractmethod
    def __call__(self, u: Spectrum) -> Spectrum:
        """One step."""


class ETDRK4(Scheme):
    """Exponential time differencing, Runge-Kutta of fourth order. With z = h L and N the nonlinear term,

        a = e^(z/2) u + h/2 phi_1(z/2) N(u)
        b = e^(z/2) u + h/2 phi_1(z/2) N(a)
        c = e^(z/2) a + h/2 phi_1(z/2) (2 N(b) - N(u))
        u(t + h) = e^z u + h (phi_1 - 3 phi_2 + 4 phi_3) N(u) + h (2 phi_2 - 4 phi_3) (N(a) + N(b))
                         + h (4 phi_3 - phi_2) N(c)

    Exact for N = 0, however large h. Sources: Cox and Matthews, J. Comput. Phys. 176, 2002; Kassam and Trefethen, SIAM
    J. Sci. Comput. 26, 2005.
    """

    def __init__(self, equation: Semilinear, step: float):
        super().__init__(equation, step)
        z = step * equation.linear
        one, two, three = phi(z, 3)
        self.half, self.whole = (z / 2).exp(), z.exp()
        self.stage = step / 2 * phi(z / 2, 1)[0]
        self.first = step * (one - 3 * two + 4 * three)
        self.middle = step * (2 * two - 4 * three)
        self.last = step * (4 * three - two)

    def __call__(self, u: Spectrum) -> Spectrum:
        nonlinear = self.equation.nonlinear
        nu, eu = nonlinear(u), self.half * u
        a = eu + self.stage * nu
        na = nonlinear(a)
        nb = nonlinear(eu + self.stage * na)
        nc = nonlinear(self.half * a + self.stage * (2 * nb - nu))
        return self.whole * u + self.first * nu + self.middle * (na + nb) + self.last * nc


class IntegratingFactorRK4(Scheme):
    """The classical Runge-Kutta scheme for v = e^(-t L) u, which satisfies v_t = e^(-t L) N(e^(t L) v).

    Shares no coefficient with ETDRK4: the second opinion.
    """

    def __init__(self, equation: Semilinear, step: float):
        super().__init__(equation, step)
        z = step * equation.linear
        self.half, self.whole = (z / 2).exp(), z.exp()

    def __call__(self, u: Spectrum) -> Spectrum:
        nonlinear, h, half, whole = self.equation.nonlinear, self.step, self.half, self.whole
        one = nonlinear(u)
        two = nonlinear(half * (u + h / 2 * one))
        three = nonlinear(half * u + h / 2 * two)
        four = nonlinear(whole * u + h * half * three)
        return whole * u + h / 6 * (whole * one + 2 * half * (two + three) + four)


class Radau(Scheme):
    """The implicit Runge-Kutta scheme Radau IIA of fifth order for a linear equation, N = 0, which is not evaluated:

        u(t + h) = (1 + 2 z / 5 + z^2 / 20) / (1 - 3 z / 5 + 3 z^2 / 20 - z^3 / 60) u,  z = h L.

    Damps what is stiff, however large h, without an exponential: the second opinion where others are exact.
    """

    def __init__(self, equation: Semilinear, step: float):
        super().__init__(equation, step)
        z = step * equation.linear
        self.factor = (1 + z * (2 / 5 + z / 20)) / (1 - z * (3 / 5 - z * (3 / 20 - z / 60)))

    def __call__(self, u: Spectrum) -> Spectrum:
        return self.factor * u


def phi(z: Symbol, most: int) -> list[Symbol]:
    """phi_n(z) = (e^z - sum_(j < n) z^j / j!) / z^n for n = 1, ..., most, without cancellation near 0.

    By Cauchy's formula the mean of an entire function over a circle around z is its value at z; on the unit circle the
    mean of 24 points differs from it by less than rounding.
    """
    sums: list[Tensor] = [torch.zeros_like(z, dtype=torch.complex128) for _ in range(most)]
    for point in range(CONTOUR_POINTS):
        angle = (point + 0.5) * (2 * math.pi / CONTOUR_POINTS)
        w = z + complex(math.cos(angle), math.sin(angle))
        value, factorial = w.exp(), 1.0
        for n in range(most):
            value = (value - 1 / factorial) / w  # phi_(n+1) = (phi_n - 1 / n!) / w
            factorial *= n + 1
            sums[n] = sums[n] + value
    return [mean if z.is_complex() else mean.real for mean in (total / CONTOUR_POINTS for total in sums)]
