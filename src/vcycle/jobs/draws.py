"""A trained run as draws from a sparse posterior around its weights: an ensemble in the run's own folder."""

import shutil
from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from vcycle.jobs.config import TrainConfig
from vcycle.jobs.run_folder import copy_run
from vcycle.jobs.tasks import Task
from vcycle.surrogate import load, members
from vcycle.training import Loss, Result, Variational, fit_posterior
from vcycle.training.checkpoint import snapshot, write_weights
from vcycle.training.learner import threads


def write_draws(config: TrainConfig, subject: Task, loss: Loss, result: Result, device: torch.device) -> None:
    """Fit the posterior around the weights that were kept, and write member_000, ... beside them, unless it is done.

    The deviation of a label is taken to be the loss on validation, and the labels to be those of the training, or on
    an equation the inputs that it drew. Batches are those that a longer training would have seen.
    """
    options, folder = config.posterior, result.folder
    if options is None or len(members(folder)) == options.draws:
        return
    for place in folder.glob("member_*"):  # of an attempt that was stopped
        shutil.rmtree(place)
    network = load(folder, calibrated=False).network
    if not isinstance(network, nn.Module):
        raise ValueError(f"{folder} holds no network whose weights could be uncertain")
    settings = options.model_dump(exclude={"name", "draws"})
    seen = config.batch * (subject.steps_per_epoch or result.step)
    with threads(config.threads):
        posterior = fit_posterior(
            network.to(device),
            lambda step: subject.stream(result.step + step),
            loss,
            result.best["loss"],
            round(seen),
            Variational(**settings, seed=config.seed),
            Console(stderr=True),
        )
    for number, drawn in enumerate(posterior.networks(network, options.draws, config.seed)):
        _write(folder / f"member_{number:03d}", drawn, result)


def _write(place: Path, network: nn.Module, result: Result) -> None:
    """One draw, as the folder of a run that is there as a whole or not at all."""
    part = result.folder / "drawing"
    shutil.rmtree(part, ignore_errors=True)
    copy_run(result.folder, part)
    write_weights(part, snapshot(network), result.best_step, result.best)
    part.rename(place)
