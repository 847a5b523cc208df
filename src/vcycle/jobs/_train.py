"""train: a neural operator for a configuration, in a folder that says everything about it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle import networks
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.configure import merge, read_file, resolve
from vcycle.jobs.criteria import loss_named, validation
from vcycle.jobs.draws import write_draws
from vcycle.jobs.run_folder import CONFIG, begin, describe
from vcycle.jobs.tasks import Task, derived_seed, task
from vcycle.networks import Fitted, Normalised, StencilNetwork
from vcycle.operators import Affine
from vcycle.problems import Diffusion
from vcycle.surrogate.store import read_weights
from vcycle.training import Constant, Cosine, Loss, OneCycle, Optimizer, Result, Schedule, Settings, Stairs, places
from vcycle.training import train as run
from vcycle.training.processes import Processes, processes
from vcycle.training.sparse_posterior import require_real

SCHEDULES: dict[str, type[Schedule]] = {"onecycle": OneCycle, "cosine": Cosine, "stairs": Stairs, "constant": Constant}


def train(config: TrainConfig | Mapping[str, Any] | None = None, **overrides: Any) -> Result:
    """Train a network and keep the weights that are best on validation, in the folder `out`.

    `config` and `overrides` are the options of the command line: train(problem="darcy", network="mgno", loss="bound",
    out="runs/darcy"), network={"name": "mgno", "width": 32}. A folder that holds a run of the same configuration is
    gone on with: Ctrl-C, SIGTERM and crashes lose at most `checkpoint_every` steps.

    The processes that torchrun starts take a part of every batch each; the first one writes.

    Writes config.yaml, surrogate.yaml, weights.safetensors, log.jsonl, log.csv and checkpoint/; with a `posterior` the
    draws from it as member_000, ..., which vcycle.load takes together.
    Raises ValueError with one sentence for a configuration that cannot be used, training.Diverged for numbers that
    are none.
    """
    with processes() as world:
        settled, subject, network, loss = world.together(lambda: _prepared(_settled(config, overrides), world))
        folder = Path(settled.out)
        world.once(lambda: _describe(settled, subject, network))
        result = run(
            network,
            subject.stream,
            loss,
            validation(subject, loss, settled.batch, world),
            _settings(settled, subject),
            folder,
            steps_per_epoch=subject.steps_per_epoch,
            forward=subject.forward,
        )
    if world.first and result.interrupted is None:
        write_draws(settled, subject, loss, result, next(network.parameters()).device)
    return result


def _prepared(config: TrainConfig, world: Processes) -> tuple[TrainConfig, Task, nn.Module, Loss]:
    """Everything that a run needs; what does not fit is refused before a folder is made."""
    places(0, config.batch, world.rank, world.size * config.accumulate)
    subject = task(config)
    config = _on_grid(config, subject)
    loss = loss_named(config.loss, subject)
    network = _network(config, subject)
    if config.posterior is not None:
        require_real(network)
    if config.start is not None:
        read_weights(network, Path(config.start))
    with torch.no_grad():
        network(subject.validation.inputs[:1].float())
    return config, subject, network, loss


def _describe(config: TrainConfig, subject: Task, network: nn.Module) -> None:
    describe(begin(config), config, subject, network)


def _settled(config: TrainConfig | Mapping[str, Any] | None, overrides: Mapping[str, Any]) -> TrainConfig:
    """The whole configuration; the network is that of the run to begin with, unless one is given."""
    unset = set(config.model_dump()) - config.model_fields_set if isinstance(config, TrainConfig) else set()
    given = config.model_dump(exclude=unset) if isinstance(config, TrainConfig) else config or {}
    given = merge(given, overrides, TrainConfig)
    if given.get("start") is not None:
        given = merge({"network": read_file(Path(given["start"]) / CONFIG)["network"]}, given, TrainConfig)
    return resolve(TrainConfig, given)


def _on_grid(config: TrainConfig, subject: Task) -> TrainConfig:
    """Stencils belong to the training grid, unless the configuration names another."""
    network = config.network
    if not issubclass(networks.NETWORKS[network.name], StencilNetwork):
        return config
    grid = {"resolution": list(subject.resolution)} if network.model_dump()["resolution"] is None else {}
    network = network.model_copy(update={"placement": subject.placement, **grid})
    return config.model_copy(update={"network": network})


def _network(config: TrainConfig, subject: Task) -> nn.Module:
    """The untrained network in physical units; its random numbers depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derived_seed(config.seed, "weights"))
        channels = len(subject.input_names), len(subject.output_names)
        bare = networks.build(config.network.model_dump(), *channels, subject.domain)
    log = _log_inputs(config, subject)
    inputs = subject.sample.inputs.double()
    seen = torch.cat([x.log() if flag else x for x, flag in zip(inputs.split(1, 1), log, strict=True)], 1)
    encode = _fitted(seen, config.input_scaling)
    decode = _fitted(subject.sample.outputs.double(), config.output_scaling).inverse()
    # Without Dirichlet face and reaction diffusion fixes its solution up to a constant only: labels have mean zero.
    zero_mean = isinstance(subject.problem, Diffusion) and subject.problem.operator(subject.sample.inputs).floating
    network = Normalised(bare, encode.float(), decode.float(), log=log, zero_mean=zero_mean)
    if isinstance(bare, Fitted) and bare.samples > 0:
        pairs = subject.examples(bare.samples)
        network.fit_network(pairs.inputs, pairs.outputs)
    return network


def _log_inputs(config: TrainConfig, subject: Task) -> list[bool]:
    """Which inputs the network sees as logarithms."""
    chosen = _positive(subject) if config.log_inputs is None else config.log_inputs
    for name in chosen:
        if name not in subject.input_names:
            raise ValueError(
                f"there is no input {name!r} to take the logarithm of: known {', '.join(subject.input_names)}"
            )
    log = [name in chosen for name in subject.input_names]
    for channel, name in enumerate(subject.input_names):
        low = float(subject.sample.inputs[:, channel].min())
        if log[channel] and low <= 0:
            raise ValueError(
                f"input {name!r} has no logarithm, its values go down to {low:g}: leave it out of log_inputs"
            )
    return log


def _positive(subject: Task) -> list[str]:
    """The positive inputs of the problem, as the data call them: own data may have other names in the same order."""
    if subject.problem is None:
        return []
    pairs = zip(subject.input_names, subject.problem.input_names, strict=True)
    return [name for name, known in pairs if known in subject.problem.positive_names]


def _fitted(fields: Float[Tensor, "b c *grid"], scaling: str) -> Affine:
    channels, dimension = fields.shape[1], fields.ndim - 2
    if scaling == "none":
        return Affine.identity(channels, dimension)
    if scaling == "scale":
        size = fields.square().mean([0, *range(2, fields.ndim)], keepdim=True)[0].sqrt()
        return Affine(torch.zeros_like(size), size)
    return Affine.fit(fields, pointwise=scaling == "pointwise")


def _settings(config: TrainConfig, subject: Task) -> Settings:
    per_epoch = subject.steps_per_epoch or 1.0
    schedule = config.schedule.model_dump(exclude={"name", "per"})
    by_epoch = config.schedule.name != "constant" and config.schedule.per == "epoch"
    return Settings(
        steps=config.length(per_epoch),
        optimizer=Optimizer(**config.optimizer.model_dump()),
        schedule=SCHEDULES[config.schedule.name](**schedule),
        schedule_interval=max(1, round(per_epoch)) if by_epoch else 1,
        clip=config.clip,
        precision=config.precision,
        accelerator=config.accelerator,
        strategy=config.strategy,
        accumulate=config.accumulate,
        recompute=config.recompute,
        compile=config.compile,
        threads=config.threads,
        select=config.select,
        patience=config.patience,
        validate_every=config.validate_every,
        log_every=config.log_every,
        checkpoint_every=config.checkpoint_every,
        seed=derived_seed(config.seed, "steps"),
    )
