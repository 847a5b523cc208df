"""What every V-cycle must be, seen in its matrix."""

import torch


def dense(operator, shape):
    unit = torch.eye(torch.Size(shape).numel(), dtype=torch.float64).view(-1, 1, *shape)
    return operator(unit).flatten(1).T


def assert_self_adjoint_and_positive(cycle, domain, shape):
    B = dense(cycle, shape)
    torch.testing.assert_close(B, B.T, rtol=1e-9, atol=1e-9 * float(B.abs().max()))
    eigenvalues = torch.linalg.eigvalsh((B + B.T) / 2)
    if domain.floating and len(eigenvalues) <= 64:  # one level: the pseudo-inverse
        eigenvalues = eigenvalues[1:]
    assert float(eigenvalues[0]) > 0
