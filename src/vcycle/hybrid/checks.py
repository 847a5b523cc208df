"""What an equation must be before anything is claimed about it, with one sentence where it is not."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain

Field = Float[Tensor, "b 1 *grid"]
PerSample = Float[Tensor, " b"]
Values = Float[Tensor, "..."]  # what callers hand in; its shape is checked with a sentence


def checked(
    v: Values, coefficient: Values, source: Values | float, domain: Domain, reaction: Field | None = None
) -> tuple[Field, Field]:
    """a and f in double precision with the shape of v, or one sentence that says what does not fit."""
    return checked_coefficient(coefficient, v, domain), checked_source(source, v, domain, reaction)


def checked_coefficient(coefficient: Values, v: Values, domain: Domain) -> Field:
    """a > 0 in double precision with the shape of v."""
    _check_values(v, domain)
    a = _fitted(coefficient, v, "coefficient")
    if not bool(((a > 0) & torch.isfinite(a)).all()):
        raise ValueError(
            f"the coefficient must be positive and finite everywhere, got values from {float(a.min()):g} to "
            f"{float(a.max()):g}"
        )
    return a


def checked_tensor(coefficient: Values, v: Values, domain: Domain) -> Float[Tensor, "b d d *grid"]:
    """A symmetric and positive definite in double precision on the cells of v."""
    _check_values(v, domain)
    d, grid = domain.dimension, tuple(v.shape[2:])
    if coefficient.shape[1:] != (d, d, *grid) or coefficient.shape[0] not in (1, v.shape[0]):
        raise ValueError(
            f"a tensor for v of shape {tuple(v.shape)} has the shape (batch, {d}, {d}, *grid), got "
            f"{tuple(coefficient.shape)}"
        )
    A = coefficient.double().expand(v.shape[0], d, d, *grid)
    factor = torch.linalg.cholesky_ex(A.movedim((1, 2), (-2, -1)))
    if not torch.equal(A, A.transpose(1, 2)) or bool((factor.info != 0).any()):
        raise ValueError(
            "the tensor must be symmetric and positive definite in every cell: give the A of -div(A grad u)"
        )
    return A


def checked_source(source: Values | float, v: Values, domain: Domain, reaction: Field | None) -> Field:
    """f in double precision with the shape of v; of mean zero where constants are not held by anything."""
    f = torch.as_tensor(source, dtype=torch.float64, device=v.device).expand(v.shape)
    if not bool(torch.isfinite(f).all()):
        raise ValueError("the source must be finite everywhere: leave out samples where it is not")
    mean = f.flatten(1).mean(1)
    singular = domain.floating and reaction is None
    if singular and bool((mean.abs() > 1e-9 * f.flatten(1).abs().amax(1)).any()):
        raise ValueError(
            f"no solution exists on {domain} for a source with mean {float(mean.abs().max()):.1e}: subtract its mean"
        )
    return f


def checked_reaction(reaction: Values | float | None, v: Values) -> Field | None:
    """c >= 0 in double precision with the shape of v; None if it is zero everywhere."""
    if reaction is None:
        return None
    c = torch.as_tensor(reaction, dtype=torch.float64, device=v.device)
    c = c.expand(v.shape) if c.ndim == 0 else _fitted(c, v, "reaction")
    if not bool((c >= 0).all() & torch.isfinite(c).all()):
        raise ValueError(f"the reaction must be finite and nowhere negative, got a minimum of {float(c.min()):g}")
    return c if bool((c > 0).any()) else None


def checked_oscillation(oscillation: Values | None, v: Values) -> Field | None:
    """Norms >= 0 in double precision with the shape of v."""
    if oscillation is None:
        return None
    size = _fitted(oscillation, v, "oscillation")
    if not bool((size >= 0).all() & torch.isfinite(size).all()):
        raise ValueError(f"the oscillation is a norm per cell, finite and not negative, got {float(size.min()):g}")
    return size


def claimed(value: PerSample, least: PerSample) -> tuple[PerSample, PerSample]:
    """What is said of samples that are not finite, nothing: the error is at most infinite, the solution at least 0."""
    return torch.where(value.isnan(), torch.inf, value), torch.where(least.isnan(), 0.0, least)


def _check_values(v: Values, domain: Domain) -> None:
    if v.ndim != domain.dimension + 2 or v.shape[1] != 1:
        raise ValueError(f"v must have shape (batch, 1, *grid) with {domain.dimension} grid axes, got {tuple(v.shape)}")


def _fitted(field: Values, v: Values, name: str) -> Field:
    """The field in double precision with the shape of v; one sample stands for all."""
    if field.shape[1:] != v.shape[1:] or field.shape[0] not in (1, v.shape[0]):
        raise ValueError(f"the {name}'s shape {tuple(field.shape)} does not fit v's shape {tuple(v.shape)}")
    return field.double().expand(v.shape)
