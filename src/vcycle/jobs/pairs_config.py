"""How training pairs are cut from data. Imports no torch: help and errors come at once."""

from typing import Annotated, Literal

from pydantic import Field

from vcycle.jobs.problem_config import Config


class StoredPairsConfig(Config):
    """Inputs and outputs as they are stored."""

    name: Literal["stored"] = "stored"


class OneStepConfig(Config):
    """From states of a trajectory to the next one; the network is a step that can be applied many times."""

    name: Literal["one_step"] = "one_step"
    history: int = Field(1, ge=1)
    """states given"""
    steps: int = Field(1, ge=1)
    """applications of the network, one after the other, that the loss looks through at the end of the run"""
    curriculum: float = Field(0.5, ge=0, le=1)
    """share of the run on the way from 1 application to that many, in equal stages"""
    pushforward: bool = True
    """loss and gradient of the last application only; false: of all, gradients through all"""
    noise: float = Field(0.0, ge=0)
    """deviation of Gaussian noise on the states given, relative to theirs"""


class AllPairsConfig(Config):
    """From any state of a trajectory to any later one; the time between them is an input, 'lead'."""

    name: Literal["all_pairs"] = "all_pairs"
    noise: float = Field(0.0, ge=0)
    """deviation of Gaussian noise on the state given, relative to its own"""


Pairs = Annotated[StoredPairsConfig | OneStepConfig | AllPairsConfig, Field(discriminator="name")]
