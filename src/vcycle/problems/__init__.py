"""Floor 3: a PDE per file, with its inputs, reference solver, residual and exact solutions. Knows no network."""

from collections.abc import Mapping
from typing import Any

from vcycle.problems.acoustics import Acoustics as Acoustics
from vcycle.problems.advection_diffusion import AdvectionDiffusion as AdvectionDiffusion
from vcycle.problems.allen_cahn import AllenCahn as AllenCahn
from vcycle.problems.anisotropic_darcy import AnisotropicDarcy as AnisotropicDarcy
from vcycle.problems.barrier import Barrier as Barrier
from vcycle.problems.base import Problem as Problem
from vcycle.problems.burgers import Burgers as Burgers
from vcycle.problems.cahn_hilliard import CahnHilliard as CahnHilliard
from vcycle.problems.cavity import Cavity as Cavity
from vcycle.problems.conservation_law import ConservationLaw as ConservationLaw
from vcycle.problems.cylinder import Cylinder as Cylinder
from vcycle.problems.dam import Dam as Dam
from vcycle.problems.darcy import Darcy as Darcy
from vcycle.problems.diffusion import Diffusion as Diffusion
from vcycle.problems.elasticity import Elasticity as Elasticity
from vcycle.problems.empirical import Empirical as Empirical
from vcycle.problems.euler import Euler as Euler
from vcycle.problems.evolution import Evolution as Evolution
from vcycle.problems.finite_elements import FiniteElements as FiniteElements
from vcycle.problems.fisher_kpp import FisherKPP as FisherKPP
from vcycle.problems.gray_scott import GrayScott as GrayScott
from vcycle.problems.heat import Heat as Heat
from vcycle.problems.helmholtz import Helmholtz as Helmholtz
from vcycle.problems.implicit_heat import ImplicitHeat as ImplicitHeat
from vcycle.problems.kdv import KdV as KdV
from vcycle.problems.kuramoto_sivashinsky import KuramotoSivashinsky as KuramotoSivashinsky
from vcycle.problems.large_eddy import LargeEddy as LargeEddy
from vcycle.problems.minimal_surface import MinimalSurface as MinimalSurface
from vcycle.problems.navier_stokes import NavierStokes as NavierStokes
from vcycle.problems.p_laplacian import PLaplacian as PLaplacian
from vcycle.problems.poisson import Poisson as Poisson
from vcycle.problems.priors import HighContrast as HighContrast
from vcycle.problems.priors import LogNormal as LogNormal
from vcycle.problems.priors import Multiscale as Multiscale
from vcycle.problems.priors import Prior as Prior
from vcycle.problems.priors import TwoPhase as TwoPhase
from vcycle.problems.semilinear import SemilinearElliptic as SemilinearElliptic
from vcycle.problems.shallow_water import ShallowWater as ShallowWater
from vcycle.problems.stationary import Stationary as Stationary
from vcycle.problems.stokes import Stokes as Stokes
from vcycle.problems.swift_hohenberg import SwiftHohenberg as SwiftHohenberg
from vcycle.problems.tube import Tube as Tube
from vcycle.problems.variational import Variational as Variational
from vcycle.problems.walled import WalledEvolution as WalledEvolution
from vcycle.problems.wave import Wave as Wave
from vcycle.spaces import Domain

PROBLEMS: dict[str, type[Problem]] = {
    problem.name: problem
    for problem in (
        Darcy,
        Poisson,
        ImplicitHeat,
        Helmholtz,
        AnisotropicDarcy,
        PLaplacian,
        MinimalSurface,
        SemilinearElliptic,
        Elasticity,
        Stokes,
        Burgers,
        NavierStokes,
        AdvectionDiffusion,
        AllenCahn,
        FisherKPP,
        KdV,
        KuramotoSivashinsky,
        Heat,
        Wave,
        CahnHilliard,
        SwiftHohenberg,
        GrayScott,
        LargeEddy,
        Euler,
        ShallowWater,
        Acoustics,
        Cavity,
        Tube,
        Barrier,
        Dam,
        Cylinder,
    )
}

PRIORS: dict[str, type[Prior]] = {p.name: p for p in (TwoPhase, LogNormal, HighContrast, Multiscale, Empirical)}


def build(d: Mapping[str, Any]) -> Problem:
    """The problem described by `Problem.to_dict`.

    >>> build(Darcy(prior=LogNormal(sigma=2.0)).to_dict())
    Darcy(domain=Domain((0, 1) dirichlet x (0, 1) dirichlet), prior=LogNormal(..., sigma=2.0), source='constant')
    """
    settings = dict(d)
    name = settings.pop("name", None)
    if name not in PROBLEMS:
        raise ValueError(f"unknown problem {name!r}: expected one of {', '.join(PROBLEMS)}")
    settings.pop("dimension", None)  # the number of extents
    boundary = [faces if isinstance(faces, str) else tuple(faces) for faces in settings.pop("boundary")]
    settings["domain"] = Domain(settings.pop("extents"), boundary)
    if "prior" in settings:
        prior = dict(settings["prior"])
        settings["prior"] = PRIORS[prior.pop("name")](**prior)
    return PROBLEMS[name](**{key: _frozen(value) for key, value in settings.items()})


def _frozen(value: Any) -> Any:
    """Lists, which plain data have for tuples, as tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
