"""tltorch's factorised tensors in terms of LowRank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vcycle.networks.checks import did_you_mean
from vcycle.operators import Factorization

FORMS = ("dense", "tucker", "cp", "tt")


@dataclass(frozen=True)
class Tensorised:
    """The form of a spectral weight, its ranks, and what its parameters are called."""

    factorization: Factorization | None
    rank: int | float | Sequence[int]
    names: tuple[str, ...]

    def foreign(self, key: str) -> str:
        """The foreign name of our 'weight' or 'weight.factors.k'."""
        return f"weight.{self.names[0 if key == 'weight' else int(key.rpartition('.')[2])]}"


def tensorised(name: str, factorization: str | None, order: int, prefix: str, state: Mapping[str, Any]) -> Tensorised:
    """How the tensor under `prefix`, with so many axes, is stored; its ranks are those of the state."""
    form = "dense" if factorization is None else factorization.lower().removeprefix("complex")
    if form not in FORMS:
        known = "'Dense', 'Tucker', 'CP', 'TT' or None"
        raise ValueError(f"{name}: factorization={factorization!r} has no counterpart here, only {known}")
    if form == "dense":
        return Tensorised(None, 1.0, ("tensor",))
    factors = tuple(f"factors.factor_{k}" for k in range(order))
    first: dict[str, tuple[str, ...]] = {"tucker": ("core",), "cp": ("weights",), "tt": ()}

    def axis(key: str, position: int | Literal["all"]) -> list[int]:
        key = f"{prefix}weight.{key}"
        if key not in state:
            raise ValueError(f"{name}: the state has no {key!r}{did_you_mean(key, list(state))}")
        shape = list(state[key].shape)
        return shape[:order] if position == "all" else [shape[position]]

    if form == "tucker":
        rank = axis("core", "all")
    elif form == "cp":
        rank = axis("weights", 0)
    else:
        rank = [r for factor in factors[:-1] for r in axis(factor, 2)]
    return Tensorised(form, rank, (*first[form], *factors))
