"""The operator exam: what a LinearOperator promises, measured.

One function per theorem, each taking a Candidate and raising ExamFailed with the numbers. All of them at once:

    examine(lambda: MyOperator(Space(domain), Space(domain)), shape=(16, 16))

or by name, one test for each:

    @pytest.mark.parametrize("theorem", THEOREMS, ids=lambda t: t.__name__)
    def test_my_operator(theorem):
        theorem(Candidate("mine", build, (16, 16)))
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from vcycle.operators import LinearOperator
from vcycle.spaces import Basis, Space, per_sample, resample

BATCH = 3
ROUND_OFF = 1e-10  # relative, in double precision
SINGLE = 1e-4  # relative, in single precision


class ExamFailed(AssertionError):
    """An operator does not keep a promise; the sentence says which, and by how much."""


@dataclass(frozen=True)
class Candidate:
    """An operator that sits the exam: how to build it anew, and a grid of its source to examine it on.

    `order` is the least rate in h at which an operator tagged 'refines' must converge.
    """

    name: str
    build: Callable[[], LinearOperator]
    shape: tuple[int, ...]
    order: float = 0.9

    def operator(self, seed: int = 7) -> LinearOperator:
        """A new one in double precision, its random numbers set by the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.build().double()


def examine(
    build: Callable[[], LinearOperator], shape: tuple[int, ...], *, name: str = "W", order: float = 0.9
) -> None:
    """Every theorem; raises ExamFailed with all failures, one a line."""
    candidate = Candidate(name, build, shape, order)
    failures = []
    for theorem in THEOREMS:
        try:
            theorem(candidate)
        except ExamFailed as failure:
            failures.append(str(failure))
    if failures:
        raise ExamFailed("\n".join(failures))


def linear(candidate: Candidate) -> None:
    """W(alpha u + beta v) = alpha W u + beta W v."""
    W = candidate.operator()
    u, v = _field(W.source, candidate.shape, 1), _field(W.source, candidate.shape, 2)
    _close(candidate, "is not linear", W(0.7 * u - 1.3 * v), 0.7 * W(u) - 1.3 * W(v))


def maps_zero_to_zero(candidate: Candidate) -> None:
    """W 0 = 0."""
    W = candidate.operator()
    largest = float(W(torch.zeros_like(_field(W.source, candidate.shape, 1))).detach().abs().max())
    _require(largest == 0, f"{candidate.name}: W 0 is not 0 but as large as {largest:.1e}")


def maps_source_to_target(candidate: Candidate) -> None:
    """(b, source channels, *grid) to (b, target channels, *grid), and the adjoint back to the same grid."""
    W = candidate.operator()
    u = _field(W.source, candidate.shape, 1)
    v = W(u)
    expected = (BATCH, W.target.channels)
    _require(
        tuple(v.shape[:2]) == expected and v.ndim == u.ndim,
        f"{candidate.name}: W u has shape {tuple(v.shape)}, expected {expected} and {u.ndim - 2} axes",
    )
    adjoint = _adjoint(W)
    if adjoint is not None:
        back = tuple(adjoint(v).shape)
        _require(back == tuple(u.shape), f"{candidate.name}: W* W u has shape {back}, but u has shape {tuple(u.shape)}")


def adjoint_identity(candidate: Candidate) -> None:
    """(W u, v)_target = (u, W* v)_source, and W** = W."""
    W = candidate.operator()
    adjoint = _adjoint(W)
    if adjoint is None:
        return
    u = _field(W.source, candidate.shape, 1)
    image = W(u)
    v = _like(image, 2)
    scale = (W.target.inner(image, image) * W.target.inner(v, v)).sqrt()
    _close(candidate, "breaks (W u, v) = (u, W* v)", W.target.inner(image, v), W.source.inner(u, adjoint(v)), scale)
    _close(candidate, "is not the adjoint of its adjoint", adjoint.adjoint()(u), image)


def norm_within_bound(candidate: Candidate) -> None:
    """The power iteration on W* W stays below norm_bound()."""
    W = candidate.operator()
    bound, adjoint = W.norm_bound(), _adjoint(W)
    if bound is None or adjoint is None:
        return
    u = _field(W.source, candidate.shape, 1)
    for _ in range(30):
        u = u / per_sample(W.source.inner(u, u).sqrt(), u)
        image = W(u)
        u = adjoint(image)
    norm = float(W.target.inner(image, image).detach().max().sqrt())
    _require(norm <= bound * (1 + ROUND_OFF), f"{candidate.name}: ||W|| >= {norm:.6g} but norm_bound() = {bound:.6g}")


def keeps_its_tags(candidate: Candidate) -> None:
    """'self_adjoint': (W u, v) = (u, W v); 'positive': (W u, u) >= 0; 'translation_equivariant': W shifts with u."""
    W = candidate.operator()
    u, v = _field(W.source, candidate.shape, 1), _field(W.source, candidate.shape, 2)
    image = W(u)
    if "self_adjoint" in W.tags:
        scale = (W.source.inner(image, image) * W.source.inner(v, v)).sqrt()
        _close(candidate, "is not self-adjoint", W.source.inner(image, v), W.source.inner(u, W(v)), scale)
    if "positive" in W.tags:
        least = float((W.source.inner(image, u) / W.source.inner(u, u)).detach().min())
        _require(least >= -ROUND_OFF, f"{candidate.name}: tagged positive, but (W u, u) = {least:.3g} (u, u)")
    if "translation_equivariant" in W.tags:
        for axis in range(W.source.domain.dimension):
            if W.source.domain.periodic(axis):
                shifted = W(u.roll(1, axis + 2))
                _close(candidate, f"does not commute with shifts along axis {axis}", shifted, image.roll(1, axis + 2))


def refines(candidate: Candidate) -> None:
    """'refines': on grids h, h/2, h/4 the images of one smooth function draw together at the rate `order`."""
    W = candidate.operator()
    if "refines" not in W.tags:
        return
    shapes = [candidate.shape]
    for _ in range(2):
        shapes.append(_refined(W.source, shapes[-1]))
    images = [W(_smooth(W.source, shape)) for shape in shapes]
    gaps = []
    for coarse, fine in itertools.pairwise(images):
        gap = resample(fine, W.target.domain, tuple(coarse.shape[2:]), W.target.placement) - coarse
        gaps.append(_size(W.target, gap))
    size = _size(W.target, images[0])
    if gaps[1] <= ROUND_OFF * size:
        return
    rate = math.log2(gaps[0] / gaps[1])
    _require(
        rate >= candidate.order,
        f"{candidate.name}: tagged refines, but converges at rate {rate:.2f} in h, expected {candidate.order} or more",
    )


def gradients(candidate: Candidate) -> None:
    """Derivatives by u and by all parameters agree with differences."""
    W = candidate.operator()
    names = [name for name, p in W.named_parameters() if p.requires_grad]
    parameters = [p.detach().clone().requires_grad_() for p in W.parameters() if p.requires_grad]
    u = _field(W.source, candidate.shape, 1, batch=1).requires_grad_()

    def apply(u: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(W, dict(zip(names, values, strict=True)), (u,))

    try:
        torch.autograd.gradcheck(apply, (u, *parameters), fast_mode=True)
    except GradcheckError as error:
        raise ExamFailed(f"{candidate.name}: gradients differ from differences: {error}") from error


def treats_samples_alone(candidate: Candidate) -> None:
    """The image of a sample does not depend on its batch."""
    W = candidate.operator()
    u = _field(W.source, candidate.shape, 1)
    image = W(u)
    if W(u[:1]).shape[0] != 1:
        return  # assembled for a whole batch of problems, one per sample
    alone = torch.cat([W(sample[None]) for sample in u])
    _close(candidate, "mixes the samples of a batch", image, alone)


def ignores_the_order_in_memory(candidate: Candidate) -> None:
    """W u and f - W u depend on numbers, not on how they lie in memory: transposed arrays have other strides."""
    W = candidate.operator()
    u = _field(W.source, candidate.shape, 1)
    image = W(u)
    f = _like(image, 3)
    _close(candidate, "depends on the order of u in memory", W(turned_in_memory(u)), image)
    _close(candidate, "has another f - W u", W.residual(turned_in_memory(f), turned_in_memory(u)), f - image)


def precision_and_device(candidate: Candidate) -> None:
    """.float() computes in single precision what .double() computes; so does every device present."""
    W = candidate.operator()
    u = _field(W.source, candidate.shape, 1)
    exact = W(u)
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    for device in devices:
        image = candidate.operator().float().to(device)(u.float().to(device))
        _require(image.dtype == torch.float32, f"{candidate.name}: .float() returns {image.dtype}")
        _require(image.device.type == device, f"{candidate.name}: .to({device!r}) returns a tensor on {image.device}")
        _close(candidate, f"changes in single precision on {device}", image.cpu().double(), exact, tolerance=SINGLE)


def saves_and_loads(candidate: Candidate) -> None:
    """A state saved by safetensors makes another copy the same operator."""
    first, second = candidate.operator(seed=7), candidate.operator(seed=8)
    state = {name: value.clone().contiguous() for name, value in first.state_dict().items()}
    second.load_state_dict(load(save(state)))
    u = _field(first.source, candidate.shape, 1)
    _require(bool((first(u) == second(u)).all()), f"{candidate.name}: a loaded copy gives another result")


def closed_algebra(candidate: Candidate) -> None:
    """W + W, W - W, 2 W, -W, W* W and f - W u are what they should be, and so are their adjoints and bounds."""
    W = candidate.operator()
    u = _field(W.source, candidate.shape, 1)
    image = W(u)
    for text, operator, expected in (
        ("W + W", W + W, 2 * image),
        ("W - 3 W", W - 3 * W, -2 * image),
        ("W * 2", W * 2, 2 * image),
        ("-W", -W, -image),
    ):
        _close(candidate, f"has a wrong {text}", operator(u), expected)
    f = _like(image, 3)
    for given in (u, u.clone().requires_grad_()):
        _close(candidate, "has a wrong f - W u", W.residual(f, given), f - image)
    adjoint, bound = _adjoint(W), W.norm_bound()
    if bound is not None:
        _require((W - 3 * W).norm_bound() == 4 * bound, f"{candidate.name}: the bound of W - 3 W is not 4 ||W||")
    if adjoint is None:
        return
    v = _like(image, 2)
    _close(candidate, "has a wrong (W - 3 W)*", (W - 3 * W).adjoint()(v), -2 * adjoint(v))
    normal = adjoint @ W
    _close(candidate, "has a wrong W* @ W", normal(u), adjoint(image))
    _close(candidate, "has a wrong (W* @ W)*", normal.adjoint()(u), adjoint(image))


THEOREMS: tuple[Callable[[Candidate], None], ...] = (
    maps_source_to_target,
    linear,
    maps_zero_to_zero,
    adjoint_identity,
    norm_within_bound,
    keeps_its_tags,
    refines,
    gradients,
    treats_samples_alone,
    ignores_the_order_in_memory,
    precision_and_device,
    saves_and_loads,
    closed_algebra,
)


def _adjoint(W: LinearOperator) -> LinearOperator | None:
    """W*, or None where the operator refuses it with a sentence."""
    try:
        return W.adjoint()
    except NotImplementedError:
        return None


def _field(space: Space, shape: tuple[int, ...], seed: int, batch: int = BATCH) -> Float[Tensor, "b c *grid"]:
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(batch, space.channels, *shape, generator=noise, dtype=torch.float64)


def _like(u: Tensor, seed: int) -> Tensor:
    return torch.randn(u.shape, generator=torch.Generator().manual_seed(seed), dtype=u.dtype)


def turned_in_memory(u: Tensor) -> Tensor:
    """The same values with the first axis the fastest in memory."""
    axes = tuple(range(u.ndim))[::-1]
    return u.permute(axes).contiguous().permute(axes)


def _smooth(space: Space, shape: tuple[int, ...]) -> Float[Tensor, "1 c *grid"]:
    """One fixed function at every resolution: three modes per axis of the basis that fits the boundary conditions."""
    modes = (3,) * space.domain.dimension
    c = torch.randn(1, space.channels, *modes, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return Basis(space.domain, space.placement).synthesise(c, shape)


def _size(space: Space, u: Tensor) -> float:
    """||u|| over the whole batch."""
    return math.sqrt(float(space.inner(u, u).detach().sum()))


def _refined(space: Space, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Half the spacing: twice as many cells, or the vertices between."""
    ends = [space.placement == "vertex" and not space.domain.periodic(axis) for axis in range(len(shape))]
    return tuple(2 * n - 1 if end else 2 * n for n, end in zip(shape, ends, strict=True))


def _close(
    candidate: Candidate,
    failure: str,
    found: Tensor,
    expected: Tensor,
    scale: Tensor | None = None,
    tolerance: float = ROUND_OFF,
) -> None:
    size = float((expected if scale is None else scale).detach().abs().max())
    error = float((found - expected).detach().abs().max())
    _require(
        error <= tolerance * size or error == 0,
        f"{candidate.name}: {failure} (difference {error:.2e} of {size:.2e}, allowed {tolerance:.0e})",
    )


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ExamFailed(sentence)
