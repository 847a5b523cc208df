"""Problems as configuration: the fields of their classes, a file each. Imports no torch: help comes at once."""

from typing import Annotated

from pydantic import Field

from vcycle.jobs.problem_config.acoustics import AcousticsConfig as AcousticsConfig
from vcycle.jobs.problem_config.advection_diffusion import AdvectionDiffusionConfig as AdvectionDiffusionConfig
from vcycle.jobs.problem_config.allen_cahn import AllenCahnConfig as AllenCahnConfig
from vcycle.jobs.problem_config.anisotropic_darcy import AnisotropicDarcyConfig as AnisotropicDarcyConfig
from vcycle.jobs.problem_config.barrier import BarrierConfig as BarrierConfig
from vcycle.jobs.problem_config.box import Boundary as Boundary
from vcycle.jobs.problem_config.box import Condition as Condition
from vcycle.jobs.problem_config.box import Config as Config
from vcycle.jobs.problem_config.box import Extents as Extents
from vcycle.jobs.problem_config.box import Names as Names
from vcycle.jobs.problem_config.box import Resolution as Resolution
from vcycle.jobs.problem_config.burgers import BurgersConfig as BurgersConfig
from vcycle.jobs.problem_config.cahn_hilliard import CahnHilliardConfig as CahnHilliardConfig
from vcycle.jobs.problem_config.cavity import CavityConfig as CavityConfig
from vcycle.jobs.problem_config.cylinder import CylinderConfig as CylinderConfig
from vcycle.jobs.problem_config.dam import DamConfig as DamConfig
from vcycle.jobs.problem_config.darcy import DarcyConfig as DarcyConfig
from vcycle.jobs.problem_config.elasticity import ElasticityConfig as ElasticityConfig
from vcycle.jobs.problem_config.euler import EulerConfig as EulerConfig
from vcycle.jobs.problem_config.fisher_kpp import FisherKPPConfig as FisherKPPConfig
from vcycle.jobs.problem_config.gray_scott import GrayScottConfig as GrayScottConfig
from vcycle.jobs.problem_config.heat import HeatConfig as HeatConfig
from vcycle.jobs.problem_config.helmholtz import HelmholtzConfig as HelmholtzConfig
from vcycle.jobs.problem_config.implicit_heat import ImplicitHeatConfig as ImplicitHeatConfig
from vcycle.jobs.problem_config.kdv import KdVConfig as KdVConfig
from vcycle.jobs.problem_config.kuramoto_sivashinsky import KuramotoSivashinskyConfig as KuramotoSivashinskyConfig
from vcycle.jobs.problem_config.large_eddy import LargeEddyConfig as LargeEddyConfig
from vcycle.jobs.problem_config.minimal_surface import MinimalSurfaceConfig as MinimalSurfaceConfig
from vcycle.jobs.problem_config.navier_stokes import NavierStokesConfig as NavierStokesConfig
from vcycle.jobs.problem_config.p_laplacian import PLaplacianConfig as PLaplacianConfig
from vcycle.jobs.problem_config.poisson import PoissonConfig as PoissonConfig
from vcycle.jobs.problem_config.semilinear import SemilinearEllipticConfig as SemilinearEllipticConfig
from vcycle.jobs.problem_config.shallow_water import ShallowWaterConfig as ShallowWaterConfig
from vcycle.jobs.problem_config.stokes import StokesConfig as StokesConfig
from vcycle.jobs.problem_config.swift_hohenberg import SwiftHohenbergConfig as SwiftHohenbergConfig
from vcycle.jobs.problem_config.tube import TubeConfig as TubeConfig
from vcycle.jobs.problem_config.wave import WaveConfig as WaveConfig

Problem = Annotated[
    DarcyConfig
    | PoissonConfig
    | ImplicitHeatConfig
    | HelmholtzConfig
    | AnisotropicDarcyConfig
    | PLaplacianConfig
    | MinimalSurfaceConfig
    | SemilinearEllipticConfig
    | ElasticityConfig
    | StokesConfig
    | BurgersConfig
    | NavierStokesConfig
    | AdvectionDiffusionConfig
    | AllenCahnConfig
    | FisherKPPConfig
    | KdVConfig
    | KuramotoSivashinskyConfig
    | HeatConfig
    | WaveConfig
    | CahnHilliardConfig
    | SwiftHohenbergConfig
    | GrayScottConfig
    | LargeEddyConfig
    | EulerConfig
    | ShallowWaterConfig
    | AcousticsConfig
    | CavityConfig
    | TubeConfig
    | BarrierConfig
    | DamConfig
    | CylinderConfig,
    Field(discriminator="name"),
]
