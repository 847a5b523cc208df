"""Problems as configuration: the fields of their classes, a file each. Imports no torch: help comes at once."""

from typing import Annotated

from pydantic import Field

from vcycle.jobs.problem_config.advection_diffusion import AdvectionDiffusionConfig as AdvectionDiffusionConfig
from vcycle.jobs.problem_config.allen_cahn import AllenCahnConfig as AllenCahnConfig
from vcycle.jobs.problem_config.box import Boundary as Boundary
from vcycle.jobs.problem_config.box import Condition as Condition
from vcycle.jobs.problem_config.box import Config as Config
from vcycle.jobs.problem_config.box import Extents as Extents
from vcycle.jobs.problem_config.box import Names as Names
from vcycle.jobs.problem_config.box import Resolution as Resolution
from vcycle.jobs.problem_config.burgers import BurgersConfig as BurgersConfig
from vcycle.jobs.problem_config.darcy import DarcyConfig as DarcyConfig
from vcycle.jobs.problem_config.fisher_kpp import FisherKPPConfig as FisherKPPConfig
from vcycle.jobs.problem_config.helmholtz import HelmholtzConfig as HelmholtzConfig
from vcycle.jobs.problem_config.kdv import KdVConfig as KdVConfig
from vcycle.jobs.problem_config.kuramoto_sivashinsky import KuramotoSivashinskyConfig as KuramotoSivashinskyConfig
from vcycle.jobs.problem_config.navier_stokes import NavierStokesConfig as NavierStokesConfig
from vcycle.jobs.problem_config.poisson import PoissonConfig as PoissonConfig

Problem = Annotated[
    DarcyConfig
    | PoissonConfig
    | HelmholtzConfig
    | BurgersConfig
    | NavierStokesConfig
    | AdvectionDiffusionConfig
    | AllenCahnConfig
    | FisherKPPConfig
    | KdVConfig
    | KuramotoSivashinskyConfig,
    Field(discriminator="name"),
]
