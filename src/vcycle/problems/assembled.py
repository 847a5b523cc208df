"""The independent second solver: -div(a grad u) + c u = f as a sparse matrix, face by face, and a direct factorisation.

Shares no line with the matrix-free operator on tensors; NumPy and SciPy only.
"""

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers import solve_direct
from vcycle.spaces import Domain

Field = Float[Tensor, "b 1 *grid"]


def assemble(a: np.ndarray, domain: Domain) -> sp.csc_array:
    """The finite-volume matrix of one coefficient on cells."""
    lengths = np.array(domain.lengths)
    h = lengths / np.array(a.shape)
    number = np.arange(a.size).reshape(a.shape)
    rows, columns, values = [], [], []
    diagonal = np.zeros(a.shape)
    for axis, faces in enumerate(domain.boundary):
        area = np.prod(h) / h[axis]
        resistance = h[axis] / 2 / np.moveaxis(a, axis, 0)
        index, sums = np.moveaxis(number, axis, 0), np.moveaxis(diagonal, axis, 0)
        between = area / (resistance[:-1] + resistance[1:])
        low, high = index[:-1], index[1:]
        sums[:-1] += between
        sums[1:] += between
        if faces[0] == "periodic":
            around = area / (resistance[-1:] + resistance[:1])
            sums[-1:] += around
            sums[:1] += around
            between, low, high = (np.concatenate(p) for p in ((between, around), (low, index[-1:]), (high, index[:1])))
        for cell, condition in zip((0, -1), faces, strict=True):
            if condition == "dirichlet":
                sums[cell] += area / resistance[cell]
        rows += [low.ravel(), high.ravel()]
        columns += [high.ravel(), low.ravel()]
        values += [-between.ravel()] * 2
    rows.append(number.ravel())
    columns.append(number.ravel())
    values.append(diagonal.ravel())
    entries = np.concatenate(values)
    return sp.csc_array((entries, (np.concatenate(rows), np.concatenate(columns))), shape=(a.size, a.size))


def solve_assembled(a: Field, f: Field, domain: Domain, reaction: Field | None = None) -> Field:
    """The direct solution for every sample of a batch; mean zero with neither a Dirichlet face nor a reaction."""
    volume = np.prod(np.array(domain.lengths) / np.array(a.shape[2:]))
    c = torch.zeros_like(a) if reaction is None else reaction.expand_as(a)
    out = []
    for i, coefficient in enumerate(a[:, 0].numpy(force=True)):
        taken, load = (volume * field[i].numpy(force=True).ravel() for field in (c, f))
        matrix = sp.csc_array(assemble(coefficient, domain) + sp.diags_array(taken))
        u = solve_direct(matrix, load, floating=domain.floating and not taken.any())
        out.append(u.reshape(coefficient.shape))
    return torch.from_numpy(np.stack(out))[:, None].to(a)
