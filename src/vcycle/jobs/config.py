"""Runs as configuration: every option, its default and its meaning. Imports no torch: help and errors come at once."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vcycle.jobs.network_config import MgNOConfig, Network
from vcycle.jobs.pairs_config import Pairs, StoredPairsConfig
from vcycle.jobs.posterior_config import SparsePosteriorConfig
from vcycle.jobs.problem_config import Boundary, Config, DarcyConfig, Extents, Names, Problem, Resolution

Accelerator = Literal["auto", "cpu", "cuda"]


class DataConfig(Config):
    """Data on disk: a generated folder or an own-data YAML says all by itself, one file of arrays needs the rest."""

    path: str
    """folder of generated data, own-data YAML, or a file of arrays (.npz .mat .h5 .pt)"""
    input_field: Names | None = None
    """file of arrays: the input arrays"""
    output_field: Names | None = None
    """file of arrays: the output arrays"""
    boundary: Boundary | None = None
    """file of arrays: condition at the faces, for all or per axis"""
    extents: Extents | None = None
    """file of arrays: lengths of the domain, per axis"""
    placement: Literal["cell", "vertex"] | None = None
    """file of arrays: where the values sit"""
    validation_data: str | None = None
    """file of arrays: another file for validation; a tenth of the first if not given"""
    test_data: str | None = None
    """file of arrays: another file for the test"""


class OptimizerConfig(Config):
    name: Literal["adam", "adamw"] = "adam"
    """weight decay added to the gradient (adam) or decoupled (adamw)"""
    lr: float = Field(1e-3, gt=0)
    """learning rate, the peak of the schedule"""
    weight_decay: float = Field(0.0, ge=0)
    """decay of the weights"""
    betas: tuple[float, float] = (0.9, 0.999)
    """decay of the running averages"""


class OneCycleConfig(Config):
    """Up, then down to nearly nothing."""

    name: Literal["onecycle"] = "onecycle"
    per: Literal["step", "epoch"] = "step"
    """how often the rate changes"""
    pct_start: float = Field(0.2, ge=0, le=1)
    """share of the steps on the way up"""
    div_factor: float = Field(2.0, ge=1)
    """peak rate over first rate"""
    final_div_factor: float = Field(100.0, ge=1)
    """first rate over last rate"""
    cycle_momentum: bool = True
    """the first beta goes from 0.95 to 0.85 and back"""


class CosineConfig(Config):
    """Down along half a cosine."""

    name: Literal["cosine"] = "cosine"
    per: Literal["step", "epoch"] = "step"
    """how often the rate changes"""
    final_factor: float = Field(0.0, ge=0, le=1)
    """last rate over peak rate"""


class StairsConfig(Config):
    """Down in steps."""

    name: Literal["stairs"] = "stairs"
    per: Literal["step", "epoch"] = "step"
    """how often the rate may change"""
    stairs: int = Field(5, ge=1)
    """equal parts of the run, with one rate each"""
    factor: float = Field(0.5, gt=0, le=1)
    """rate of a part over that of the one before"""


class ConstantConfig(Config):
    """Always the same rate."""

    name: Literal["constant"] = "constant"


LABELLED_LOSSES = ("l2", "h1", "energy")
Schedule = Annotated[OneCycleConfig | CosineConfig | StairsConfig | ConstantConfig, Field(discriminator="name")]


class TrainConfig(Config):
    """A training run, on data or on an equation alone."""

    out: str
    """folder of the run"""
    data: DataConfig | None = None
    """train on data: a folder, a YAML or a file"""
    pairs: Pairs = StoredPairsConfig()
    """data: the pairs to learn from; steps of trajectories"""
    problem: Problem | None = None
    """train on an equation: fresh inputs at every step"""
    curriculum: dict[str, list[Any]] | None = None
    """equation: values of one parameter for earlier, equal parts of the run, {prior.high: [4.0, 8.0]}"""
    resolution: Resolution | None = None
    """equation: points per axis, 64 if not given"""
    start: str | None = None
    """run to begin with: its network and weights, for other data, another distribution, another loss"""
    network: Network = MgNOConfig()
    """the neural operator"""
    log_inputs: Names | None = None
    """inputs that the network sees as logarithms; the coefficient of a known equation if not given, [] for none"""
    input_scaling: Literal["channel", "pointwise", "none"] = "channel"
    """inputs to mean 0 and deviation 1, per channel or per point"""
    output_scaling: Literal["scale", "channel", "pointwise", "none"] = "scale"
    """outputs to mean square 1, or as inputs; subtracting means costs the exact boundary values"""
    loss: Literal[
        "l2", "h1", "energy", "bound", "ritz", "strong_residual", "dual_residual", "preconditioned_residual"
    ] = "h1"
    """relative error in a norm, or in the energy; or, without labels: the guaranteed error bound, Ritz's energy, the
    residual of the equation point by point, or in the norm of one V-cycle, or what one or two V-cycles (for flows,
    steps on the pressure) make of it in H1, for high contrasts; what an equation lacks is refused"""
    optimizer: OptimizerConfig = OptimizerConfig()
    """the method"""
    schedule: Schedule = OneCycleConfig()
    """the learning rate over the run"""
    posterior: SparsePosteriorConfig | None = None
    """after the training, a posterior around its weights: predictions are means of draws, with a spread"""
    steps: int | None = Field(None, ge=1)
    """length of the run, 1200 if neither steps nor epochs are given"""
    epochs: int | None = Field(None, ge=1)
    """length of the run in passes through the data"""
    batch: int = Field(8, ge=1)
    """samples a step"""
    clip: float | None = Field(1.0, gt=0)
    """largest norm of the gradient, null: any"""
    precision: Literal["32-true", "64-true", "bf16-mixed", "16-mixed"] = "32-true"
    """arithmetic"""
    accelerator: Accelerator = "auto"
    """device; auto: a GPU where there is one"""
    strategy: Literal["ddp", "fsdp"] = "ddp"
    """several processes (torchrun): each holds the network, or a part of every parameter"""
    accumulate: int = Field(1, ge=1)
    """parts that a process takes its samples of a step in, to save memory"""
    recompute: bool = False
    """layers keep their input only and compute the rest again for the gradient, to save memory"""
    compile: bool = False
    """steps call machine code made for the network: a minute or two at the start, then faster"""
    threads: int | None = Field(None, ge=1)
    """CPU threads"""
    validation_samples: int | None = Field(None, ge=1)
    """samples for validation; equation: 64, data: the whole split if not given"""
    validate_every: int = Field(100, ge=1)
    """steps between validations"""
    select: Literal["loss", "l2", "h1"] = "loss"
    """validation metric that decides which weights are kept"""
    patience: int = Field(0, ge=0)
    """validations without improvement before stopping, 0: never"""
    log_every: int = Field(10, ge=1)
    """steps between rows of the log"""
    checkpoint_every: int = Field(200, ge=1)
    """steps between checkpoints"""
    seed: int = Field(0, ge=0)
    """of everything random: weights, order, fresh inputs"""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        if values.get("steps") is None and values.get("epochs") is None:
            values = values | {"steps": 1200}
        if values.get("data") is None and values.get("problem") is not None:
            defaults = {"resolution": 64, "validation_samples": 64}
            values = values | {name: n for name, n in defaults.items() if values.get(name) is None}
        return values

    @model_validator(mode="after")
    def _routes(self) -> "TrainConfig":
        if self.data is None and self.problem is None:
            raise ValueError("nothing to learn from: give --data FOLDER, or --problem darcy to train on the equation")
        if self.pairs.name != "stored" and self.data is None:
            raise ValueError(f"--pairs {self.pairs.name} are cut from trajectories: give --data FOLDER")
        if self.curriculum is not None and (self.data is not None or len(self.curriculum) != 1):
            raise ValueError("--curriculum takes one parameter of the equation through values, and no --data")
        if self.data is not None and self.resolution is not None:
            raise ValueError("--resolution is for training on an equation, --data have their own: leave one out")
        if self.steps is not None and self.epochs is not None:
            raise ValueError("give --steps or --epochs, not both; null unsets one: --steps null")
        if self.data is None and self.epochs is not None:
            raise ValueError("--epochs are passes through data and an equation has none: give --steps")
        if self.posterior is not None and self.pairs.name != "stored":
            raise ValueError("--posterior is for networks that map stored pairs: leave it out, or --pairs")
        if self.posterior is not None and self.loss == "ritz":
            raise ValueError(
                "--posterior needs a loss that is a distance, which Ritz's energy is not: use another --loss"
            )
        per_epoch = self.schedule.name != "constant" and self.schedule.per == "epoch"
        if self.data is None and per_epoch:
            raise ValueError("--schedule.per epoch needs --data: on an equation every step is new, use step")
        return self

    def length(self, steps_per_epoch: float) -> int:
        """The number of steps of the run."""
        return self.steps or max(1, round((self.epochs or 1) * steps_per_epoch))


class GuideConfig(Config):
    """A trained run that says which samples are worth a label."""

    path: str
    """folder of a run of the same problem"""
    pool: int = Field(4096, ge=1)
    """candidates whose error bound is looked at"""
    share: float = Field(0.5, ge=0, le=1)
    """share of the samples that are the worst of the pool; the rest are drawn as ever"""


class GenerateConfig(Config):
    """A data set of a problem."""

    out: str
    """folder of the data"""
    problem: Problem = DarcyConfig()
    """the equation and the distribution of its inputs"""
    samples: int = Field(1000, ge=1)
    """number of samples"""
    resolution: Resolution = 64
    """points per axis"""
    seed: int = Field(0, ge=0)
    """of the inputs"""
    splits: dict[str, int | float] | None = None
    """fractions or counts, {train: 0.8, validation: 0.1, test: 0.1} if not given"""
    ood: dict[str, Any] | None = None
    """test sets out of distribution: a parameter and its other values, {viscosity: [0.05, 0.002]}"""
    ood_samples: int | None = Field(None, ge=1)
    """samples in each of them, as many as in test if not given"""
    guide: GuideConfig | None = None
    """label the samples on which this run is worst, by its guaranteed bound"""
    workers: int | None = Field(None, ge=1)
    """processes; as many as cores where that pays if not given"""
    executor: Literal["auto", "serial", "processes", "dask"] = "auto"
    """where shards are made: here, on processes of this machine once that pays, or on a Dask cluster"""
    scheduler: str | None = None
    """dask: address of the scheduler, tcp://host:8786"""
    accelerator: Accelerator = "cpu"
    """device that solves; cuda: one shard after the other, auto: cuda where there is one"""
    dtype: Literal["float64", "float32"] = "float64"
    """precision on disk"""
    shard_size: int | None = Field(None, ge=1)
    """samples per file"""
    verify_every: int = Field(64, ge=0)
    """every n-th sample is compared with a second solver and a grid half as fine, 0: none"""
