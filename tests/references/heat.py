"""The heat equation on grids by dense matrices: the truth for bounds over rollouts."""

import math

import torch

from vcycle.operators import FiniteVolume
from vcycle.spaces import Grid


def implicit_euler(start, a, f, step, D):
    """The states of implicit Euler steps of the finite-volume equations, by dense matrices."""
    A, cell = FiniteVolume.assemble(a, D).dense(), math.prod(Grid(D, tuple(start.shape[1:])).spacing)
    matrix = torch.eye(A.shape[-1], dtype=torch.float64) * cell + step * A
    states = [start.flatten(1)]
    for force in f.unbind(1):
        states.append(torch.linalg.solve(matrix, cell * (states[-1] + step * force.flatten(1))))
    return torch.stack(states, 1).view(len(start), -1, *start.shape[1:])
