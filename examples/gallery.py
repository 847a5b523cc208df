"""The gallery of problems: docs/gallery.md and its pictures, one sample of each, solved and checked.

python examples/gallery.py [NAME ...]
"""

import csv
import inspect
import sys
from pathlib import Path

from vcycle.analysis import plot_sample
from vcycle.problems import PROBLEMS, Problem

DOCS = Path(__file__).parent.parent / "docs"
GRIDS = DOCS.parent / "benchmarks" / "grids.csv"
POINTS = {1: 256, 2: 64, 3: 32}
COSTLY = {"dam": (64, 32)}  # the grids of problems whose labels take long
HEAD = """# Gallery

Every problem with its defaults, one sample each, drawn by `python examples/gallery.py`.
`vcycle generate NAME` makes data of it, `vcycle generate NAME --help` lists its parameters.
What a grid costs is measured as the difference, relative in L2, from labels on half as many points per axis: at second
order the labels themselves are a third of it from the equation's solution ([grids.csv](../benchmarks/grids.csv)).
"""


def main() -> None:
    (DOCS / "images" / "gallery").mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PROBLEMS:
        draw(PROBLEMS[name]())
    pages = [HEAD, *(entry(problem) for problem in PROBLEMS.values())]
    (DOCS / "gallery.md").write_text("\n".join(pages), encoding="utf-8")


def draw(problem: Problem) -> None:
    """One sample, as a picture."""
    shape = COSTLY.get(problem.name, (POINTS[problem.domain.dimension],) * problem.domain.dimension)
    inputs = problem.sample(shape, 3, [0])
    solution = problem.solve(inputs)
    residual = float(problem.residual(inputs, solution.value))
    if not bool(solution.converged.all()):
        raise SystemExit(f"{problem.name}: {solution.message}")
    names = problem.input_names, problem.output_names
    figure = plot_sample(inputs[0], solution.value[0], problem.domain, *names)
    figure.savefig(DOCS / "images" / "gallery" / f"{problem.name}.png", dpi=90)
    print(f"{problem.name}: relative residual {residual:.1e}", flush=True)


def entry(kind: type[Problem]) -> str:
    """Title, equation, behaviour, what the grid costs, and a picture."""
    first, *rest = (" ".join(paragraph.split()) for paragraph in (inspect.getdoc(kind) or "").split("\n\n"))
    words = [first, *(paragraph for paragraph in rest if paragraph.startswith("Behaviour"))]
    title = kind.title.removeprefix("the ")
    picture = f"![{kind.title}](images/gallery/{kind.name}.png)"
    return "\n\n".join([f"## {title[:1].upper()}{title[1:]}: `{kind.name}`", *words, grid(kind.name), picture]) + "\n"


def grid(name: str) -> str:
    """What grids of two sizes cost."""
    with GRIDS.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["problem"] == name]
    costs = ((row["points"], 100 * float(row["mean"])) for row in rows)
    words = (f"{f'{cost:.2g}' if cost < 100 else 'more than 100'} % at {points}" for points, cost in costs)
    return f"Grid: {', '.join(words)} points per axis."


if __name__ == "__main__":
    main()
