"""`vcycle calibrate`: how wrong trained runs are on samples they have not seen, kept for `predict`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vcycle.analysis.wording import by
from vcycle.data import DataError, Fields
from vcycle.jobs.calibration_words import summary
from vcycle.jobs.config import DataConfig, TrainConfig
from vcycle.jobs.configure import read_file, resolve
from vcycle.jobs.datasets import open_data
from vcycle.jobs.own_process import own_process
from vcycle.jobs.requirements import require_count
from vcycle.jobs.run_folder import CONFIG, copy_run
from vcycle.jobs.seen import ancestors, refuse_seen
from vcycle.jobs.tasks import derived_seed, solved, task
from vcycle.jobs.trials import stored
from vcycle.spaces import Accelerator, chosen
from vcycle.surrogate import Calibration, Ensemble, Scale, Surrogate, load, members, together, write_calibration
from vcycle.surrogate.store import WEIGHTS

SAMPLES = 100
ROLES = {
    "train": "taught the network, which is better on it than on anything else",
    "validation": "chose the weights, which are better on it than on anything else",
    "test": "measures the result, and what was calibrated on it cannot be measured on it",
}


@dataclass(frozen=True)
class CalibratedRun:
    """The calibration and the folder that it was written to."""

    calibration: Calibration
    folder: Path

    def __str__(self) -> str:
        return f"{summary(self.calibration)}\nwritten to {self.folder}"


@own_process()
def calibrate(
    runs: str | Path | Sequence[str | Path],
    data: DataConfig | str | Path | None = None,
    *,
    split: str = "calibration",
    samples: int | None = None,
    level: float = 0.9,
    share: float = 1.0,
    scale: Scale | None = None,
    out: str | Path | None = None,
    accelerator: Accelerator = "auto",
) -> CalibratedRun:
    """Score a run on samples that neither trained nor selected it, and keep the scores in its folder.

    runs     the folder of a trained run; several runs of different seeds become an ensemble in the folder `out`
    data     a data folder, an own-data YAML or a DataConfig; if not given that of the run, or for a run on an equation
             fresh samples from random numbers of their own
    split    a split that no training saw
    samples  at most so many of them; all, or 100 fresh ones, if not given
    level    the probability with which each bound is to hold
    share    of the points that a band is to hold at
    scale    what bands are proportional to: 'spread' for ensembles and 'channel' for one run if not given
    accelerator   the device; auto: a GPU where there is one

    Raises ValueError with one sentence for samples that training has seen, and for steps in time.
    """
    require_count("samples", samples)
    folders = [Path(runs)] if isinstance(runs, str | Path) else [Path(run) for run in runs]
    surrogate, configs = _opened(folders, out)
    surrogate = surrogate.to(chosen(accelerator))
    fields, origin, checksum = _unseen(surrogate, configs, data, split, samples)
    reference = task(configs[0]).validation
    if reference.inputs.shape[2:] != fields.inputs.shape[2:]:
        raise ValueError(
            f"the calibration samples are at {by(tuple(fields.inputs.shape[2:]))}, those of validation at "
            f"{by(tuple(reference.inputs.shape[2:]))}: calibrate on the training grid"
        )
    calibration = Calibration.fit(
        surrogate.answer(reference.inputs),
        reference.outputs.double(),
        surrogate.answer(fields.inputs),
        fields.outputs.double(),
        surrogate.domain,
        surrogate.placement,
        level=level,
        share=share,
        scale=scale or ("spread" if isinstance(surrogate.network, Ensemble) else "channel"),
        origin=origin,
        checksum=checksum,
    )
    folder = folders[0] if out is None else _gather(folders, Path(out))
    write_calibration(calibration, folder, [place / WEIGHTS for place in members(folder)])
    return CalibratedRun(calibration, folder)


def _opened(folders: list[Path], out: str | Path | None) -> tuple[Surrogate, list[TrainConfig]]:
    """The run, or the ensemble of several, with the configurations of all runs behind it."""
    if (out is None) != (len(folders) == 1):
        raise ValueError("--out is the folder of an ensemble: it goes with several runs, and several runs with it")
    places = [place for folder in folders for place in members(folder)]
    surrogate = together([load(place, calibrated=False) for place in places])
    if len({(place / WEIGHTS).read_bytes() for place in places}) < len(places):
        raise ValueError("two of these runs hold the same network, which has no spread: train with another --seed")
    configs = [resolve(TrainConfig, read_file(place / CONFIG)) for place in places]
    if configs[0].pairs.name != "stored":
        raise ValueError(
            "the steps of one trajectory depend on each other, and calibration needs independent samples: calibrate a "
            "network that maps stored pairs"
        )
    return surrogate, [each for config in configs for each in ancestors(config)]


def _unseen(
    surrogate: Surrogate,
    configs: list[TrainConfig],
    data: DataConfig | str | Path | None,
    split: str,
    samples: int | None,
) -> tuple[Fields, str, str | None]:
    """Samples that taught and selected none of the runs, where they come from, and their checksum."""
    if split in ROLES:
        raise ValueError(f"the split {split!r} {ROLES[split]}: calibrate on a split that is there for nothing else")
    given = DataConfig(path=str(data)) if isinstance(data, str | Path) else data or configs[0].data
    if given is None:
        return _fresh(surrogate, configs[0], SAMPLES if samples is None else samples)
    opened = open_data(given)
    if split not in opened.splits:
        raise DataError(
            f"{given.path} has no split {split!r}, only {', '.join(opened.splits)}: make one with vcycle generate "
            "--splits '{train: 0.7, validation: 0.1, calibration: 0.1, test: 0.1}', or give other --data"
        )
    trials = stored(surrogate, opened, split, samples)
    origin = f"split {split} of the data set {opened.name}"
    refuse_seen(trials.main.inputs, configs, origin)
    return trials.main, origin, trials.checksum


def _fresh(surrogate: Surrogate, config: TrainConfig, count: int) -> tuple[Fields, str, None]:
    """Samples of the equation from random numbers that nothing else uses."""
    if surrogate.problem is None:
        raise ValueError("this network was trained on data without an equation: give --data with a split to calibrate")
    shape = task(config).resolution
    pairs = solved(surrogate.problem, shape, derived_seed(config.seed, "calibration"), range(count))
    return pairs, f"fresh samples of {surrogate.problem.title}", None


def _gather(folders: list[Path], out: Path) -> Path:
    """The folder of an ensemble: what each run needs to be used, in a folder of its own."""
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} exists and is not empty: give another folder as --out")
    places = [place for folder in folders for place in members(folder)]
    for number, place in enumerate(places):
        copy_run(place, out / f"member_{number:03d}")
    return out
