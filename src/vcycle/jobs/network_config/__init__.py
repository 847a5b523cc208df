"""Networks as configuration: the options of their constructors, a file each. Imports no torch."""

from typing import Annotated

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation as Activation
from vcycle.jobs.network_config.fno import FNOConfig as FNOConfig
from vcycle.jobs.network_config.mgno import MgNOConfig as MgNOConfig

Network = Annotated[
    MgNOConfig | FNOConfig,
    Field(discriminator="name"),
]
