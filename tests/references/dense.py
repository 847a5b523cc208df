"""Small diffusion-reaction problems in batches of dense matrices: finite volumes and finer multilinear elements."""

import math
from functools import reduce

import torch
from torch import Tensor

from vcycle.spaces import Domain


def network(a: Tensor, c: Tensor, domain: Domain) -> tuple[Tensor, Tensor]:
    """Finite volumes for -div(a grad u) + c u as conductances (b, n, n) between cells and (b, n) to the value 0."""
    shape = tuple(a.shape[2:])
    h = [length / n for length, n in zip(domain.lengths, shape, strict=True)]
    volume, cells = math.prod(h), math.prod(shape)
    number = torch.arange(cells).view(shape)
    k, ground = torch.zeros(len(a), cells, cells, dtype=a.dtype), (c * volume).flatten(1)
    for axis, faces in enumerate(domain.boundary):
        n, scale = shape[axis], volume / h[axis] ** 2
        resistance = (0.5 / a[:, 0]).movedim(axis + 1, 1).reshape(len(a), n, -1)
        index = number.movedim(axis, 0).reshape(n, -1)
        for i in range(n if faces[0] == "periodic" else n - 1):
            low, high = index[i], index[(i + 1) % n]
            between = scale / (resistance[:, i] + resistance[:, (i + 1) % n])
            k[:, low, high] += between
            k[:, high, low] += between
        for cell, condition in ((0, faces[0]), (n - 1, faces[1])):
            if condition == "dirichlet":
                ground[:, index[cell]] += scale / resistance[:, cell]
    return k, ground


def solve_network(k: Tensor, ground: Tensor, load: Tensor) -> Tensor:
    """u with ground_i u_i + sum_j k_ij (u_i - u_j) = load_i; the last is 0 where nothing is grounded.

    Stars are replaced by meshes, cell by cell. Conductances are never subtracted, so that every one is accurate to
    rounding whatever the contrast (Grassmann, Taksar, Heyman 1985).
    """
    k, ground, load, n = k.clone(), ground.clone(), load.clone(), load.shape[1]
    around = []
    for i in range(n - 1):
        total = ground[:, i] + k[:, i, i + 1 :].sum(1)
        share = k[:, i, i + 1 :] / total[:, None]
        around.append((total, share))
        k[:, i + 1 :, i + 1 :] += share[:, :, None] * k[:, i, None, i + 1 :]
        k[:, i + 1 :, i + 1 :] -= torch.diag_embed(k[:, i + 1 :, i + 1 :].diagonal(dim1=1, dim2=2))
        ground[:, i + 1 :] += share * ground[:, i, None]
        load[:, i + 1 :] += share * load[:, i, None]
    u = torch.zeros_like(load)
    last = ground[:, -1]
    u[:, -1] = torch.where(last > 0, load[:, -1] / torch.where(last > 0, last, 1.0), 0.0)
    for i in reversed(range(n - 1)):
        total, share = around[i]
        u[:, i] = load[:, i] / total + (share * u[:, i + 1 :]).sum(1)
    return u


def elements(a: Tensor, c: Tensor, domain: Domain) -> tuple[Tensor, Tensor, Tensor]:
    """(b, n, n) matrices of (a grad u, grad w) + (c u, w) in multilinear elements on the vertices of the cells of a
    (b, 1, *grid) or, as a tensor, (b, d, d, *grid); the map (n, cells) from cell integrals of f to loads; free nodes.
    """
    shape, d = tuple(a.shape[-domain.dimension :]), domain.dimension
    A = a if a.ndim == d + 3 else a[:, :, None] * torch.eye(d, dtype=a.dtype).view(1, d, d, *[1] * d)
    h = [length / n for length, n in zip(domain.lengths, shape, strict=True)]
    mass = [torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=a.dtype) * s / 6 for s in h]
    stiff = [torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=a.dtype) / s for s in h]
    mixed = torch.tensor([[-0.5, -0.5], [0.5, 0.5]], dtype=a.dtype)  # (phi_i', phi_j)
    local = torch.einsum("b...,ij->b...ij", c[:, 0], reduce(torch.kron, mass))
    for i in range(d):
        for j in range(d):
            factors = [
                (stiff[k] if i == j else mixed) if k == i else (mixed.T if k == j else mass[k]) for k in range(d)
            ]
            product = reduce(torch.kron, [factor.contiguous() for factor in factors])
            local = local + torch.einsum("b...,ij->b...ij", A[:, i, j], product)
    points = [n if domain.periodic(axis) else n + 1 for axis, n in enumerate(shape)]
    number = torch.arange(math.prod(points)).view(points)
    cells = torch.cartesian_prod(*(torch.arange(n) for n in shape)).reshape(-1, d)
    corners = torch.cartesian_prod(*[torch.arange(2)] * d).reshape(-1, d)
    at = (cells[:, None] + corners) % torch.tensor(points)
    nodes = number[tuple(at.unbind(-1))]  # (cells, 2^d)
    size = math.prod(points)
    matrix = torch.zeros(len(a), size * size, dtype=a.dtype)
    flat = (nodes[:, :, None] * size + nodes[:, None, :]).flatten()
    matrix.index_add_(1, flat, local.reshape(len(a), -1))
    load = torch.zeros(size, math.prod(shape), dtype=a.dtype)
    load.index_put_(
        (nodes.flatten(), torch.arange(len(nodes)).repeat_interleave(2**d)),
        torch.full((nodes.numel(),), 2.0**-d, dtype=a.dtype),
        accumulate=True,
    )
    free = torch.ones(points, dtype=torch.bool)
    for axis, faces in enumerate(domain.boundary):
        for end, condition in ((0, faces[0]), (points[axis] - 1, faces[1])):
            if condition == "dirichlet":
                free.select(axis, end).fill_(False)
    return matrix.view(-1, size, size), load, free.flatten()


def solve(matrix: Tensor, right: Tensor, *, singular: bool) -> Tensor:
    """x with M x = r, (b, n, n) and (b, n); the last unknown is 0 if constants are annihilated."""
    if not singular:
        return _scaled_solve(matrix, right)
    x = _scaled_solve(matrix[:, :-1, :-1], right[:, :-1])
    return torch.cat([x, torch.zeros_like(x[:, :1])], 1)


def _scaled_solve(matrix: Tensor, right: Tensor) -> Tensor:
    """By Cholesky with ones on the diagonal and two steps of iterative refinement."""
    if matrix.shape[-1] == 0:
        return torch.zeros_like(right)
    s = matrix.diagonal(dim1=1, dim2=2).rsqrt()
    factor = torch.linalg.cholesky(matrix * s[:, :, None] * s[:, None, :])
    x = torch.zeros_like(right)
    for _ in range(3):
        r = right - (matrix @ x[..., None])[..., 0]
        x = x + s * torch.cholesky_solve((s * r)[..., None], factor)[..., 0]
    return x


def refined(w: Tensor, domain: Domain, finer: int) -> Tensor:
    """A multilinear function (b, 1, n + 1 per axis) at the free and other nodes of a finer mesh, (b, nodes)."""
    for axis in range(domain.dimension):
        dim = axis - domain.dimension
        n = w.shape[dim] - 1
        position = torch.arange(n * finer + (0 if domain.periodic(axis) else 1), dtype=w.dtype) / finer
        left = position.long().clamp(max=n - 1)
        share = (position - left).view(-1, *[1] * (-dim - 1))
        w = w.index_select(dim, left) * (1 - share) + w.index_select(dim, left + 1) * share
    return w.flatten(1)


def finer(field: Tensor, domain: Domain, factor: int) -> Tensor:
    """Cell values on cells cut into `factor` per axis."""
    for axis in range(domain.dimension):
        field = field.repeat_interleave(factor, axis - domain.dimension)
    return field


def distance(w: Tensor, a: Tensor, c: Tensor, f: Tensor, domain: Domain, factor: int) -> tuple[Tensor, Tensor]:
    """(r, x) / |||x|||, r the residual of a multilinear w and x = U - w, U the solution in elements on a finer mesh;
    and |||U|||, |||w|||: at most the true error and size, whatever x is.
    """
    fine_a, fine_c, fine_f = (finer(field, domain, factor) for field in (a, c, f))
    stiffness, spread, free = elements(fine_a, 0 * fine_c, domain)
    mass = elements(0 * fine_a, fine_c, domain)[0]
    singular = domain.floating and not bool((c > 0).any())

    def apply(x: Tensor) -> Tensor:
        x0 = x - x.mean(1, keepdim=True) if domain.floating else x
        return (stiffness @ x0[..., None] + mass @ x[..., None])[..., 0]

    def energy(x: Tensor) -> Tensor:
        x0 = x - x.mean(1, keepdim=True) if domain.floating else x
        return ((x0 * (stiffness @ x0[..., None])[..., 0]) + x * (mass @ x[..., None])[..., 0]).sum(1)

    load = (fine_f * (math.prod(domain.lengths) / fine_f[0, 0].numel())).flatten(1) @ spread.T
    start = refined(w, domain, factor)
    r, x = load - apply(start), torch.zeros_like(load)
    x[:, free] = solve((stiffness + mass)[:, free][:, :, free], r[:, free], singular=singular)
    if singular:
        x = x - x.mean(1, keepdim=True)
    size = energy(x).clamp_min(0).sqrt()
    inner = (r * x).sum(1)
    true = torch.where(size > 0, inner / torch.where(size > 0, size, 1.0), 0.0)
    return true, energy(start + x).clamp_min(0).sqrt() + energy(start).clamp_min(0).sqrt()
