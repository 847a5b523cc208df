"""What a data set is on paper: the pair of fields, the manifest, and the one kind of error."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from vcycle.spaces import Domain, Placement

FORMAT = "vcycle data 1"
Precision = Literal["float64", "float32"]


class DataError(ValueError):
    """Data, or a request for data, that cannot be served; the message is one sentence that names the next step."""


@dataclass(frozen=True)
class Fields:
    """A batch of pairs: the input functions and the output functions, on the same grid."""

    inputs: Float[Tensor, "b c_in *grid"]
    outputs: Float[Tensor, "b c_out *grid"]

    def __len__(self) -> int:
        return self.inputs.shape[0]


@dataclass(frozen=True)
class Description:
    """What the numbers mean: the domain, where on it the values sit, the names and units of the channels.

    `times` are the instants of the channels u_0, u_1, ... of trajectories, () where time plays no part.
    """

    name: str
    domain: Domain
    placement: Placement
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    problem: dict[str, Any] | None
    units: dict[str, str]
    source: str
    times: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        names = self.input_names + self.output_names
        if len(set(names)) < len(names):
            raise DataError(
                f"every field needs a name of its own, got inputs {self.input_names}, outputs {self.output_names}"
            )
        for name in self.units:
            if name not in names:
                raise DataError(f"a unit is given for {name!r}, which is no field{suggestion(name, names)}")

    def record(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return vars(self) | {"domain": self.domain.to_dict()}


class Record(BaseModel):
    """A frozen piece of JSON without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Configuration(Record):
    """All that the bytes of a generated data set depend on, the versions of the libraries aside."""

    format: Literal["vcycle data 1"] = FORMAT
    problem: dict[str, Any]
    samples: int
    resolution: tuple[int, ...]
    seed: int
    shard_size: int
    dtype: Precision
    splits: dict[str, int]
    verify_every: int
    ood: dict[str, Any] = {}
    ood_samples: int | None = None
    indices: tuple[int, ...] | None = None

    def chosen(self, positions: range) -> Sequence[int]:
        """The sample indices at these positions of the data set."""
        return positions if self.indices is None else self.indices[positions.start : positions.stop]


class Failure(Record):
    """Sample `index` of the stream `seed`, which no solve brought below the limit; it is not stored."""

    index: int
    seed: int | None = None
    reason: str


class ShardRecord(Record):
    """One file: its checksum, the positions first <= p < stop it was made for, and how good their labels are.

    `chosen` are the sample indices at these positions where they are not the positions themselves; `residuals` belongs
    to the stored samples in order; `differences` maps the sample indices that a second solver checked to the relative
    difference found, `grid_differences` to that from a grid of half as many points per axis; `seconds` and `versions`
    tell how the file came about.
    """

    file: str
    size: int
    sha256: str
    first: int
    stop: int
    chosen: tuple[int, ...] | None = None
    failures: tuple[Failure, ...] = ()
    retried: tuple[int, ...] = ()
    residuals: tuple[float, ...] = ()
    iterations: int | None = None
    differences: dict[int, float] = {}
    grid_differences: dict[int, float] = {}
    seconds: float | None = None
    versions: dict[str, str] = {}

    def __len__(self) -> int:
        return self.stop - self.first - len(self.failures)

    @property
    def indices(self) -> tuple[int, ...]:
        """The sample indices that are stored, in order."""
        return tuple(index for _, index in self._stored())

    @property
    def positions(self) -> tuple[int, ...]:
        """Where they stand among the samples that the data set was made for."""
        return tuple(position for position, _ in self._stored())

    def _stored(self) -> Iterator[tuple[int, int]]:
        failed = {failure.index for failure in self.failures}
        wanted = range(self.first, self.stop)
        pairs = zip(wanted, wanted if self.chosen is None else self.chosen, strict=True)
        return ((position, index) for position, index in pairs if index not in failed)


class SplitRecord(Record):
    """The positions start <= p < stop of a split among the stored samples, and a checksum of exactly these data."""

    start: int
    stop: int
    sha256: str


class Verification(Record):
    """How the labels were checked."""

    solver: str
    residual: str
    residual_limit: float
    residual_worst: float
    second_solver: str
    samples_compared: int
    difference_limit: float
    difference_worst: float | None
    coarser_grid: str = ""
    grids_compared: int = 0
    grid_difference_median: float | None = None
    grid_difference_worst: float | None = None


class Manifest(Record):
    """The table of contents of a folder, written last: a folder without it is not finished."""

    format: Literal["vcycle data 1"] = FORMAT
    name: str
    source: str
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    units: dict[str, str]
    domain: dict[str, Any]
    placement: Placement
    resolution: tuple[int, ...]
    dtype: Precision
    problem: dict[str, Any] | None
    times: tuple[float, ...] = ()
    configuration: Configuration | None = None
    verification: Verification | None = None
    splits: dict[str, SplitRecord]
    elsewhere: dict[str, str] = Field(default={}, description="splits that differ in more: name -> sub-folder")
    elsewhere_sha256: dict[str, str] = Field(default={}, description="the checksums of these splits, as in `splits`")
    shards: tuple[ShardRecord, ...]
    versions: dict[str, str]

    @property
    def description(self) -> Description:
        return Description(
            name=self.name,
            domain=Domain(**self.domain),
            placement=self.placement,
            input_names=self.input_names,
            output_names=self.output_names,
            problem=self.problem,
            units=self.units,
            source=self.source,
            times=self.times,
        )

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All samples that were left out."""
        return tuple(failure for shard in self.shards for failure in shard.failures)


def suggestion(word: str, known: Sequence[str]) -> str:
    """The end of an error sentence about an unknown word.

    >>> suggestion("tset", ["train", "test"])
    ": did you mean 'test'? There are train, test"
    """
    close = get_close_matches(word, known, n=1)
    there = f"here are {', '.join(known) or 'none'}"
    return f": did you mean {close[0]!r}? T{there}" if close else f": t{there}"


def explain(error: ValidationError, what: str, model: type[BaseModel]) -> DataError:
    """The first complaint of pydantic as one sentence, with the nearest known key for an unknown one."""
    first = error.errors()[0]
    *parents, key = first["loc"] or ("the top level",)
    where = ".".join(map(str, first["loc"])) or key
    if first["type"] != "extra_forbidden":
        return DataError(f"{what} is not valid at {where}: {first['msg']} (got {first['input']!r:.80})")
    for parent in parents:
        field = model.model_fields.get(str(parent))
        if field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    return DataError(f"{what} has an unknown key {where}{suggestion(str(key), list(model.model_fields))}")
