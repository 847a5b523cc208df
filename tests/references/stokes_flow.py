"""Polynomial flows between walls: the truth for bounds of velocities."""

import math

import numpy as np
import torch
from numpy.polynomial import Polynomial

from vcycle.hybrid.cell_quadrature import gauss_points, gradient_at
from vcycle.spaces import Domain, Grid

NU = 0.05


class Flow:
    """u = (X Y', -X' Y), X = x^2 (L - x)^2, Y = y^2 (1 - y)^2, and a pressure `size` x y^2 - mean."""

    def __init__(self, length, size):
        self.domain, self.size = Domain([length, 1.0]), size
        self.x, self.y = Polynomial([0, 0, length**2, -2 * length, 1]), Polynomial([0, 0, 1, -2, 1])

    def velocity(self, x, y):
        return np.stack([self.x(x) * self.y.deriv()(y), -self.x.deriv()(x) * self.y(y)])

    def gradient(self, x, y):
        X, Y, dX, dY = self.x(x), self.y(y), self.x.deriv()(x), self.y.deriv()(y)
        return np.stack([np.stack([dX * dY, X * self.y.deriv(2)(y)]), np.stack([-self.x.deriv(2)(x) * Y, -dX * dY])])

    def force(self, x, y):
        X, Y = [self.x.deriv(k)(x) if k else self.x(x) for k in range(4)], self.y
        Ys = [Y.deriv(k)(y) if k else Y(y) for k in range(4)]
        first = -NU * (X[2] * Ys[1] + X[0] * Ys[3]) + self.size * y**2
        second = NU * (X[3] * Ys[0] + X[1] * Ys[2]) + self.size * 2 * x * y
        return np.stack([first, second])

    def cells(self, shape):
        """u and p at centres, the means of f over cells and what it deviates from them, by exact quadrature."""
        grid = Grid(self.domain, shape)
        x, y = (axis.numpy() for axis in grid.mesh())
        parts = []
        for point, weight in gauss_points(2, 6):
            at = [c + (s - 0.5) * h for c, s, h in zip((x, y), point, grid.spacing, strict=True)]
            parts.append((weight, self.force(*at)))
        mean = sum(w * f for w, f in parts)
        off = math.prod(grid.spacing) * sum(w * ((f - mean) ** 2).sum(0) for w, f in parts)
        batch = [self.velocity(x, y), (self.size * x * y**2)[None], mean, np.sqrt(off)[None]]
        return [torch.from_numpy(part)[None] for part in batch]

    def error(self, field):
        """||grad(u - v)|| for the bilinear functions with these vertex values."""
        shape = tuple(n - 1 for n in field.shape[2:])
        grid, total = Grid(self.domain, shape), 0.0
        x, y = (axis.numpy() for axis in grid.mesh())
        for point, weight in gauss_points(2, 6):
            at = [c + (s - 0.5) * h for c, s, h in zip((x, y), point, grid.spacing, strict=True)]
            rest = self.gradient(*at) - gradient_at(field.numpy(), grid.spacing, point)
            total = total + weight * math.prod(grid.spacing) * (rest**2).sum((1, 2, 3, 4))
        return torch.from_numpy(np.sqrt(total))
