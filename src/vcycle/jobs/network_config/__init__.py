"""Networks as configuration: the options of their constructors, a file each. Imports no torch."""

from typing import Annotated

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation as Activation
from vcycle.jobs.network_config.deeponet import DeepONetConfig as DeepONetConfig
from vcycle.jobs.network_config.fno import FNOConfig as FNOConfig
from vcycle.jobs.network_config.implicit import ImplicitConfig as ImplicitConfig
from vcycle.jobs.network_config.lno import LNOConfig as LNOConfig
from vcycle.jobs.network_config.lsm import LSMConfig as LSMConfig
from vcycle.jobs.network_config.mgno import MgNOConfig as MgNOConfig
from vcycle.jobs.network_config.mono import MoNOConfig as MoNOConfig
from vcycle.jobs.network_config.multionet import MultiONetConfig as MultiONetConfig
from vcycle.jobs.network_config.sfno import SFNOConfig as SFNOConfig
from vcycle.jobs.network_config.sinenet import SineNetConfig as SineNetConfig
from vcycle.jobs.network_config.t1 import T1Config as T1Config
from vcycle.jobs.network_config.transformer import TransformerConfig as TransformerConfig
from vcycle.jobs.network_config.unet import UNetConfig as UNetConfig

Network = Annotated[
    MgNOConfig
    | FNOConfig
    | DeepONetConfig
    | MultiONetConfig
    | LNOConfig
    | MoNOConfig
    | LSMConfig
    | TransformerConfig
    | SineNetConfig
    | UNetConfig
    | T1Config
    | SFNOConfig
    | ImplicitConfig,
    Field(discriminator="name"),
]
