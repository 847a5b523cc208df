"""`vcycle evaluate`: a trained run measured on samples it has not seen, as numbers, a table and a report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vcycle.analysis import Evaluation, Measured, Rollout, Summary, error_spectrum, read_history, write_report
from vcycle.analysis.findings import bound_sentence, cost_sentences, coverage_sentence
from vcycle.analysis.wording import NORMS, by, percent
from vcycle.data import Dataset
from vcycle.jobs import measurements
from vcycle.jobs.config import DataConfig, TrainConfig
from vcycle.jobs.configure import read_file, resolve
from vcycle.jobs.coverage import measure_coverage, with_bands
from vcycle.jobs.datasets import open_data
from vcycle.jobs.effectivities import bounds
from vcycle.jobs.locality import with_local
from vcycle.jobs.own_process import own_process
from vcycle.jobs.pairs import cut
from vcycle.jobs.portrait import facts, provenance, title
from vcycle.jobs.requirements import require_count, require_positive
from vcycle.jobs.rolled import rolled_out
from vcycle.jobs.trials import Trials, fresh, seed_of, stored
from vcycle.spaces import Accelerator, chosen
from vcycle.surrogate import Surrogate, load, members, training_resolution

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Evaluated:
    """The evaluation, and the files it was written to."""

    evaluation: Evaluation
    json: Path
    report: Path

    def __str__(self) -> str:
        return f"{table(self.evaluation)}\nwritten to {self.report} and {self.json}"


@own_process()
def evaluate(
    run: str | Path,
    data: DataConfig | str | Path | None = None,
    *,
    split: str = "test",
    samples: int | None = None,
    resolutions: Sequence[int | Sequence[int]] | None = None,
    tighten: int = 0,
    lyapunov: float | None = None,
    out: str | Path | None = None,
    machine: str | None = None,
    accelerator: Accelerator = "auto",
    progress: bool = True,
) -> Evaluated:
    """Measure a trained run; writes evaluation.json and report.html into `out` (the run's folder if not given).

    data          a folder of generated data, an own-data YAML or a DataConfig; if not given, the data that the run
                  was trained on, or fresh samples of its equation that training never saw
    split         the test set; splits named after it ('test_32') are measured too
    samples       at most so many per set; all of a split, or 64 fresh ones, if not given
    resolutions   other grids to sample the same functions on (points per axis, or one number per axis); half and
                  double the training grid if not given. Needs an equation
    tighten       V-cycles spent on the bounds
    lyapunov      the largest Lyapunov exponent of the equation, to measure how long steps in time go well
    machine       what the report calls the machine
    accelerator   the device; auto: a GPU where there is one
    progress      whether bars with the remaining time are shown while the equation is solved

    With an equation: errors in the energy norm too, both forms of the bound against true errors, other grids, and the
    cost of the solver at equal accuracy. Raises ValueError with one sentence for what cannot be measured.
    """
    require_count("samples", samples)
    require_count("tighten", tighten, 0)
    require_positive("lyapunov", lyapunov)
    folder = Path(run)
    surrogate, folder = load(folder).to(chosen(accelerator)), members(folder)[0]
    config = resolve(TrainConfig, read_file(folder / "config.yaml"))
    trained = training_resolution(folder)
    opened = _opened(config, data)
    trials = _trials(surrogate, config, opened, trained, split, samples, progress)
    measured = _measure(surrogate, config, trials, trained, resolutions, tighten, folder, machine, progress)
    evaluation = replace(measured, rollout=_rollout(surrogate, config, opened, split, samples, lyapunov))
    place = Path(run if out is None else out)
    place.mkdir(parents=True, exist_ok=True)
    evaluation.write_json(place / "evaluation.json")
    write_report(evaluation, place / "report.html")
    return Evaluated(evaluation, place / "evaluation.json", place / "report.html")


def _opened(config: TrainConfig, data: DataConfig | str | Path | None) -> Dataset | None:
    """The data that are given, or those of the run; None for a run on an equation."""
    given = DataConfig(path=str(data)) if isinstance(data, str | Path) else data or config.data
    return None if given is None else open_data(given)


def _rollout(
    surrogate: Surrogate,
    config: TrainConfig,
    data: Dataset | None,
    split: str,
    samples: int | None,
    lyapunov: float | None,
) -> Rollout | None:
    if config.pairs.name != "stored" and data is not None:
        return rolled_out(surrogate, config.pairs, data, split, samples, lyapunov)
    if lyapunov is not None:
        raise ValueError("--lyapunov is for networks that step in time, trained with --pairs one_step or all_pairs")
    return None


def _trials(
    surrogate: Surrogate,
    config: TrainConfig,
    data: Dataset | None,
    trained: Shape,
    split: str,
    samples: int | None,
    progress: bool,
) -> Trials:
    if data is None:
        return fresh(surrogate, config, trained, samples, progress)
    return stored(surrogate, cut(config.pairs, data), split, samples)


def _measure(
    surrogate: Surrogate,
    config: TrainConfig,
    trials: Trials,
    trained: Shape,
    resolutions: Sequence[int | Sequence[int]] | None,
    tighten: int,
    folder: Path,
    machine: str | None,
    progress: bool,
) -> Evaluation:
    domain, placement, problem = surrogate.domain, surrogate.placement, trials.problem
    audit = measurements.audit(surrogate, trials, trained, resolutions, seed_of(config), progress)
    refused = {row.shape for row in audit if row.refusal is not None}
    sets = {name: pairs for name, pairs in trials.sets.items() if tuple(pairs.inputs.shape[2:]) not in refused}
    if not sets:
        raise ValueError(next(row.refusal for row in audit if row.refusal is not None))
    predictions = {name: surrogate.apply(pairs.inputs) for name, pairs in sets.items()}
    tests = tuple(
        Measured(
            name,
            tuple(pairs.inputs.shape[2:]),
            len(pairs),
            measurements.errors(surrogate, problem, pairs, predictions[name]),
        )
        for name, pairs in sets.items()
    )
    (name, pairs), *_ = sets.items()
    found = bounds(surrogate, pairs, tighten)
    cases = measurements.cases(pairs, predictions[name], tests[0].errors, found)
    return Evaluation(
        title=title(surrogate, config),
        facts=facts(surrogate, config, trials, folder),
        domain=domain,
        placement=placement,
        input_names=surrogate.input_names,
        output_names=surrogate.output_names,
        tests=tests,
        bounds=found,
        coverage=measure_coverage(surrogate, sets),
        resolutions=audit,
        spectrum=error_spectrum(predictions[name], pairs.outputs, domain, placement),
        cost=None if problem is None else measurements.cost(surrogate, problem, pairs),
        history=read_history(folder / "log.jsonl"),
        cases=with_local(surrogate, with_bands(surrogate, cases)),
        units=trials.units,
        provenance=provenance(trials, folder, machine),
    )


def table(evaluation: Evaluation) -> str:
    """The numbers that matter most, for a terminal."""
    lines = [evaluation.title]
    for test in evaluation.tests:
        lines += ["", f"{test.name}: {test.samples} samples at {by(test.shape)}; relative errors"]
        lines.append(f"{'':24s}{'median':>10s}{'mean':>10s}{'95 %':>10s}{'worst':>10s}")
        for norm, s in test.errors.summaries().items():
            numbers = "".join(f"{percent(value):>10s}" for value in (s.median, s.mean, s.q95, s.worst))
            lines.append(f"{NORMS[norm]:24s}{numbers}")
    if evaluation.resolutions:
        lines += ["", "median relative L² error on other grids"]
        lines += [f"{by(row.shape):24s}{row.refusal or _median(row.network):>10s}" for row in evaluation.resolutions]
    if evaluation.rollout is not None:
        lines += ["", str(evaluation.rollout)]
    sentences = [bound_sentence(bound) for bound in evaluation.bounds]
    sentences += [coverage_sentence(coverage) for coverage in evaluation.coverage]
    sentences += cost_sentences(evaluation.cost) if evaluation.cost is not None else ()
    return "\n".join([*lines, "", *sentences])


def _median(summary: Summary | None) -> str:
    return percent(None if summary is None else summary.median)
