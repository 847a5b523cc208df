"""Out-of-distribution test sets: the same problem with one parameter changed, from random numbers of their own."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from vcycle.data.schema import DataError, suggestion
from vcycle.problems import Problem, build

Shifts = Mapping[str, Any]


def shifted(problem: Problem, shifts: Shifts) -> dict[str, Problem]:
    """The changed problems by the name of their split; parameters are dotted, values single or listed.

    >>> from vcycle.problems import Burgers
    >>> {name: p.viscosity for name, p in shifted(Burgers(), {"viscosity": [0.05, 0.002]}).items()}
    {'test_viscosity_0.05': 0.05, 'test_viscosity_0.002': 0.002}
    """
    found: dict[str, Problem] = {}
    for path, values in shifts.items():
        before = _get(problem, path)
        several = isinstance(values, list | tuple) and not isinstance(before, list | tuple)
        for value in values if several else [values]:
            name = f"test_{path.rpartition('.')[2]}_{_label(value)}"
            changed = build(_put(problem.to_dict(), path.split("."), value))
            _check(problem, changed, path, value)
            if name in found:
                raise DataError(f"two shifts make the split {name!r}: give every value once")
            found[name] = changed
    return found


def seed_of(seed: int, split: str) -> int:
    """Of a shifted split: with the seed of the training data it would hold the training functions, only shifted."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{split}".encode()).digest()[:8], "big") >> 1


def _get(problem: Problem, path: str) -> Any:
    tree: Any = problem.to_dict()
    for key in path.split("."):
        if not isinstance(tree, dict) or key not in tree or key in ("name", "dimension"):
            known = [k for k in tree if k not in ("name", "dimension")] if isinstance(tree, dict) else []
            raise DataError(f"{problem.name} has no parameter {path!r} to shift{suggestion(key, known)}")
        tree = tree[key]
    return tree


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    key, *rest = path
    return tree | {key: _put(tree[key], rest, value) if rest else value}


def _check(problem: Problem, changed: Problem, path: str, value: Any) -> None:
    if changed == problem:
        raise DataError(f"{path}={value} is what the training data have: shift it to another value")
    same = (changed.domain, changed.input_names, changed.output_names)
    if same != (problem.domain, problem.input_names, problem.output_names):
        raise DataError(
            f"{path}={value} changes the domain or the channels, but a test set needs those of the training data: "
            "generate it as a data set of its own"
        )


def _label(value: Any) -> str:
    parts = value if isinstance(value, list | tuple) else [value]
    return "_".join(f"{part:g}" if isinstance(part, float) else str(part) for part in parts)
