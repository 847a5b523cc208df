"""The picture of the README: one prediction, its error, and the bound that was known without the reference.

python examples/picture.py [RUN] [PNG]      RUN a trained Darcy run, for instance demo/run after `make demo`
"""

import sys

import vcycle
from vcycle.analysis import Case
from vcycle.analysis.field_plots import plot_case


def main(run: str = "demo/run", target: str = "docs/images/prediction.png", resolution: int = 64) -> None:
    surrogate = vcycle.load(run)
    problem = surrogate.problem
    a = problem.sample((resolution, resolution), seed=2026, indices=[4])
    prediction, reference = surrogate.predict(a), problem.solve(a).value
    energy = problem.energy_norm(a)
    true = float(energy.relative(prediction.value, reference))
    case = Case("", a[0], reference[0], prediction.value[0])
    figure = plot_case(case, surrogate.domain, "cell", surrogate.input_names, surrogate.output_names, {})
    figure.suptitle(
        f"−div(a grad u) = 1: a trained network answers, and knows that its energy error is at most "
        f"{100 * float(prediction.relative):.1f} % (it is {100 * true:.1f} %)",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    figure.savefig(target, dpi=110)
    print(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
