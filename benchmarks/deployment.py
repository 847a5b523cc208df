"""What does leaving Python cost or save? MgNO and FNO in eager mode, compiled, as machine code and in ONNX Runtime.

    python benchmarks/deployment.py [--points 64] [--batches 1 64] [--rounds 7]

Darcy flow; both networks as they come, untrained: time does not depend on the weights. Every form is called in turn,
the least time counts, and all must compute what eager mode computes. Programs take any number of samples; torch.compile
is given each number anew. The process is set up as by `vcycle predict` (spaces.kept_memory, spaces.suit_vectors).
Writes benchmarks/deployment.csv.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from machine import write_table
from vcycle.networks import Normalised, build
from vcycle.operators import count_parameters
from vcycle.problems import Darcy
from vcycle.spaces import kept_memory, suit_vectors
from vcycle.surrogate import Surrogate, write_program

PROBLEM = Darcy()
Forms = dict[str, Callable[[Tensor], Tensor]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 64])
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(1)
    suit_vectors()
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, torch.no_grad(), kept_memory():
        for name in ("mgno", "fno"):
            surrogate = untrained(name, given.points)
            forms = exported(surrogate, given.points, Path(folder) / name)
            for batch in given.batches:
                rows += measured(name, surrogate.network, forms, given.points, batch, given.rounds)
    write_table("deployment.csv", rows, threads=1)


def untrained(name: str, points: int) -> Surrogate:
    """The network with normalisers and the logarithm of the coefficient, as after training."""
    torch.manual_seed(0)
    a = PROBLEM.sample((points, points), 0, range(8))
    network = Normalised.fit(build({"name": name}, 1, 1, PROBLEM.domain), a, PROBLEM.solve(a).value, log=[True])
    return Surrogate(network.eval(), PROBLEM.domain, ("a",), ("u",), problem=PROBLEM)


def exported(surrogate: Surrogate, points: int, stem: Path) -> Forms:
    """The programs as they are run, on one thread."""
    a = PROBLEM.sample((points, points), 1, range(3))
    files = {form: str(write_program(surrogate, a, stem, form).file) for form in ("aoti", "onnx")}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(files["onnx"], options, providers=["CPUExecutionProvider"])
    return {
        "aoti": torch._inductor.aoti_load_package(files["aoti"]),
        "onnx runtime": lambda x: torch.from_numpy(session.run(["outputs"], {"inputs": x.numpy()})[0]),
    }


def measured(
    name: str, network: torch.nn.Module, programs: Forms, points: int, batch: int, rounds: int
) -> list[dict[str, object]]:
    """The rows of one network for calls of `batch` samples."""
    x = PROBLEM.sample((points, points), 2, range(batch)).float()
    forms: Forms = {"eager": network, "torch.compile": torch.compile(network, dynamic=False), **programs}
    expected = network(x)
    difference = {form: float((run(x) - expected).abs().max() / expected.abs().max()) for form, run in forms.items()}
    assert max(difference.values()) < 1e-4, f"{name}: the forms differ, {difference}"
    least = dict.fromkeys(forms, float("inf"))
    for _ in range(rounds):
        for form, run in forms.items():
            least[form] = min(least[form], seconds(partial(run, x)))
    rows: list[dict[str, object]] = []
    for form, best in least.items():
        row = {"network": name, "parameters": count_parameters(network), "points": points, "batch": batch, "form": form}
        row |= {"ms_per_call": f"{1e3 * best:.2f}", "samples_per_second": f"{batch / best:.1f}"}
        row |= {"over_eager": f"{best / least['eager']:.2f}", "difference": f"{difference[form]:.0e}"}
        print(*row.values(), sep="\t", flush=True)
        rows.append(row)
    return rows


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
