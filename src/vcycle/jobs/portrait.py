"""A run in words: what was solved, what was learned, and where everything comes from."""

import hashlib
import platform
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

import vcycle
from vcycle.analysis.wording import NORMS, by, count
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.trials import Trials
from vcycle.networks import NETWORKS
from vcycle.operators import count_parameters
from vcycle.problems import Problem
from vcycle.spaces import Domain
from vcycle.surrogate import Ensemble, Surrogate
from vcycle.surrogate.store import WEIGHTS

GEOMETRY = ("name", "dimension", "extents", "boundary")
UNLABELLED = {
    "bound": "the guaranteed error bound",
    "ritz": "Ritz's energy",
    "strong_residual": "the residual of the equation",
    "dual_residual": "the residual of the equation in the norm of one V-cycle",
    "preconditioned_residual": "what V-cycles make of the residual of the equation, in H1",
}


def title(surrogate: Surrogate, config: TrainConfig) -> str:
    """What was learned, and by what."""
    subject = _arrow(surrogate) if surrogate.problem is None else surrogate.problem.title
    return f"{network_name(config)} for {subject}"


def facts(surrogate: Surrogate, config: TrainConfig, trials: Trials, run: Path) -> dict[str, str]:
    """The headline table, label by label."""
    problem, network = surrogate.problem, surrogate.network
    found = {}
    if problem is not None:
        found["equation"] = problem.equation.replace("-", "−")
    found["domain"] = boundary_words(surrogate.domain)
    if problem is not None:
        found["settings"] = parameter_words(problem)
    found["learned map"] = _arrow(surrogate)
    found["network"] = f"{network_name(config)}: {network_words(config)}"
    if isinstance(network, Ensemble):
        origin = "trained with different seeds" if config.posterior is None else "drawn from a sparse posterior"
        found["ensemble"] = f"the mean of {len(network.members)} such networks, {origin}"
    if isinstance(network, nn.Module):
        found["parameters"] = count(count_parameters(network))
    found["training"] = training_words(config, run)
    found["grid"] = f"{by(trials.shape)} {'cells' if surrogate.placement == 'cell' else 'vertices'}"
    found["test"] = trials.origin
    if trials.grid:
        found["references"] = trials.grid
    return found


def provenance(trials: Trials, run: Path, machine: str | None) -> dict[str, str]:
    """Checksums, versions, machine and date."""
    found = {} if trials.checksum is None else {"test data": f"SHA-256 {trials.checksum}"}
    found["weights"] = f"SHA-256 {hashlib.sha256((run / WEIGHTS).read_bytes()).hexdigest()}"
    python = ".".join(map(str, sys.version_info[:3]))
    found["versions"] = f"vcycle {vcycle.__version__}, PyTorch {torch.__version__}, Python {python}"
    threads = torch.get_num_threads()
    found["machine"] = machine or f"{platform.machine()}, {threads} thread{'' if threads == 1 else 's'}"
    found["date"] = date.today().isoformat()
    return found


def training_words(config: TrainConfig, run: Path) -> str:
    """Loss, data, length and optimizer; which step was kept."""
    loss = UNLABELLED[config.loss] if config.loss in UNLABELLED else f"relative error in the {NORMS[config.loss]}"
    source = "fresh inputs at every step" if config.data is None else f"data {Path(config.data.path).name}"
    length = f"{count(config.steps)} steps" if config.steps else f"{config.epochs} epochs"
    method = f"{config.optimizer.name.capitalize()}, rate {config.optimizer.lr:g}, {config.schedule.name}"
    with safe_open(run / WEIGHTS, "pt") as weights:
        step = (weights.metadata() or {}).get("step")
    kept = f"; kept: step {count(int(step))}, the best on validation" if step else ""
    return f"loss: {loss}; {source}; {length} of batch {config.batch}; {method}; seed {config.seed}{kept}"


def network_name(config: TrainConfig) -> str:
    """The network as its class is called."""
    return NETWORKS[config.network.name].__name__


def network_words(config: TrainConfig) -> str:
    """Its options: those that are not the defaults, width and depth always."""
    options = config.network.model_dump()
    changed = config.network.model_dump(exclude_defaults=True)
    return _settings(changed | {name: options[name] for name in ("width", "depth") if name in options})


def parameter_words(problem: Problem) -> str:
    """What distinguishes a problem from others of its kind."""
    settings = {name: value for name, value in problem.to_dict().items() if name not in GEOMETRY}
    words = (f"{name} {_settings(v) if isinstance(v, dict) else _plain(v)}" for name, v in settings.items())
    return "; ".join(words)


def boundary_words(domain: Domain) -> str:
    """The domain and what holds on its faces.

    >>> boundary_words(Domain.unit(2))
    '(0, 1) × (0, 1), dirichlet on all faces'
    >>> boundary_words(Domain([1.0, 2.0], ["periodic", ("dirichlet", "neumann")]))
    '(0, 1) × (0, 2); x: periodic, y: dirichlet | neumann'
    """
    box = " × ".join(f"({low:g}, {high:g})" for low, high in domain.extents)
    if len({face for faces in domain.boundary for face in faces}) == 1:
        return f"{box}, {domain.boundary[0][0]} on all faces"
    conditions = (low if low == high else f"{low} | {high}" for low, high in domain.boundary)
    return f"{box}; {', '.join(f'{axis}: {both}' for axis, both in zip('xyz', conditions, strict=False))}"


def _arrow(surrogate: Surrogate) -> str:
    return f"{', '.join(surrogate.input_names)} → {', '.join(surrogate.output_names)}"


def _settings(settings: Mapping[str, object]) -> str:
    """'two phase: alpha 2, low 3'."""
    values = {name: value for name, value in settings.items() if name != "name"}
    shown = ", ".join(f"{name} {_plain(value)}" for name, value in values.items())
    name = settings.get("name")
    return f"{str(name).replace('_', ' ')}: {shown}" if name else shown


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
