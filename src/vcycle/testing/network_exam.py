"""The network exam: what a neural operator promises, measured.

One function per theorem, each taking an Examinee and raising ExamFailed with the numbers:

    @pytest.mark.parametrize("theorem", NETWORK_THEOREMS, ids=lambda t: t.__name__)
    def test_my_network(theorem):
        theorem(Examinee("mine", lambda domain: MyNetwork(2, 1, domain=domain), Domain.unit(2), (16, 16)))
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.autograd.gradcheck import GradcheckError

from vcycle.operators import LinearOperator
from vcycle.spaces import Domain
from vcycle.testing.operator_exam import ExamFailed, turned_in_memory

BATCH = 3
ROUND_OFF = 1e-10  # relative, in double precision
SINGLE = 1e-3  # relative, in single precision


@dataclass(frozen=True)
class Examinee:
    """A network that sits the exam: how to build it on a domain, and the grid to examine it on."""

    name: str
    build: Callable[[Domain], nn.Module]
    domain: Domain
    shape: tuple[int, ...]
    in_channels: int = 2
    out_channels: int = 1

    def network(self, seed: int = 7) -> nn.Module:
        """A new one in double precision and evaluation mode, its random numbers set by the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.build(self.domain).double().eval()

    def field(self, seed: int = 1, batch: int = BATCH) -> Float[Tensor, "b i *grid"]:
        noise = torch.Generator().manual_seed(seed)
        return torch.randn(batch, self.in_channels, *self.shape, generator=noise, dtype=torch.float64)


def maps_fields_to_fields(examinee: Examinee) -> None:
    """(b, in, *grid) to (b, out, *grid), finite and not constant."""
    v = examinee.network()(examinee.field()).detach()
    expected = (BATCH, examinee.out_channels, *examinee.shape)
    _require(tuple(v.shape) == expected, f"{examinee.name} returns {tuple(v.shape)}, expected {expected}")
    _require(bool(v.isfinite().all()), f"{examinee.name} returns numbers that are not finite")
    _require(float(v.std()) > 0, f"{examinee.name} returns a constant")


def treats_samples_alone(examinee: Examinee) -> None:
    """The image of a sample does not depend on its batch."""
    network, u = examinee.network(), examinee.field()
    alone = torch.cat([network(sample[None]) for sample in u])
    _close(examinee, "mixes the samples of a batch", network(u), alone)


def ignores_the_order_in_memory(examinee: Examinee) -> None:
    """The image depends on numbers, not on how they lie in memory: transposed arrays have other strides."""
    network, u = examinee.network(), examinee.field()
    image = network(turned_in_memory(u))
    _close(examinee, "depends on the order of its input in memory", image, network(u))


def a_seed_is_a_network(examinee: Examinee) -> None:
    """The same seed makes the same network, another seed another."""
    u = examinee.field()
    first, again, other = (examinee.network(seed)(u) for seed in (7, 7, 8))
    _require(torch.equal(first, again), f"{examinee.name}: the same seed gives two different networks")
    _require(not torch.equal(first, other), f"{examinee.name}: two seeds give the same network")


def uses_every_parameter(examinee: Examinee) -> None:
    """Every parameter has a gradient, in training as in evaluation."""
    network = examinee.network()
    network(examinee.field()).pow(3).sum().backward()
    idle = [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None]
    _require(not idle, f"{examinee.name} never uses {', '.join(idle)}")


def gradients(examinee: Examinee) -> None:
    """Derivatives by the input agree with differences."""
    u = examinee.field(batch=1).requires_grad_()
    network = examinee.network()
    try:
        torch.autograd.gradcheck(network, (u,), fast_mode=True, atol=1e-4)
    except GradcheckError as error:
        raise ExamFailed(f"{examinee.name}: gradients differ from differences: {error}") from error


def survives_zero(examinee: Examinee) -> None:
    """The zero field has a finite image and finite gradients."""
    network = examinee.network()
    u = torch.zeros_like(examinee.field()).requires_grad_()
    network(u).square().sum().backward()
    gradients = [u.grad, *(p.grad for p in network.parameters())]
    finite = all(g is None or bool(g.isfinite().all()) for g in gradients)
    _require(finite, f"{examinee.name}: gradients at the zero field are not finite")


def computes_in_single_precision(examinee: Examinee) -> None:
    """.float() computes in single precision what .double() computes; so does every device present."""
    u = examinee.field()
    exact = examinee.network()(u)
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        image = examinee.network().float().to(device)(u.float().to(device))
        _require(image.dtype == torch.float32, f"{examinee.name}: .float() returns {image.dtype}")
        _close(examinee, f"changes in single precision on {device}", image.cpu().double(), exact, SINGLE)


def saves_and_loads(examinee: Examinee) -> None:
    """A state saved by safetensors makes another copy the same network."""
    first, second, u = examinee.network(7), examinee.network(8), examinee.field()
    state = {name: value.clone().contiguous() for name, value in first.state_dict().items()}
    second.load_state_dict(load(save(state)))
    _require(torch.equal(first(u), second(u)), f"{examinee.name}: a loaded copy gives another result")


def exports(examinee: Examinee) -> None:
    """torch.export gives a program that computes the same."""
    network, u = examinee.network().float(), examinee.field().float()
    program = torch.export.export(network, (u,))
    _close(examinee, "changes by torch.export", program.module()(u), network(u), 1e-5)


def other_resolutions(examinee: Examinee) -> None:
    """At twice the resolution it runs, or refuses with a sentence (ValueError)."""
    network = examinee.network()
    shape = tuple(2 * n for n in examinee.shape)
    u = torch.randn(1, examinee.in_channels, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    try:
        v = network(u)
    except ValueError as refusal:
        _require(len(str(refusal)) > 40, f"{examinee.name} refuses {shape} without a reason: {refusal}")
        return
    expected = (1, examinee.out_channels, *shape)
    _require(tuple(v.shape) == expected, f"{examinee.name} at {shape} returns {tuple(v.shape)}, expected {expected}")


def refuses_wrong_fields(examinee: Examinee) -> None:
    """A wrong number of channels or axes is answered with a sentence (ValueError)."""
    network, u = examinee.network(), examinee.field()
    for wrong in (torch.cat([u, u], 1), u[..., 0]):
        try:
            network(wrong)
        except ValueError:
            continue
        raise ExamFailed(f"{examinee.name} accepts {tuple(wrong.shape)} for {examinee.in_channels} channels")


def operators_are_linear(examinee: Examinee) -> None:
    """Every operator inside, on the fields it meets there: W - W 0 is linear, and (W u, v) = (u, W* v) if W is."""
    network, met = examinee.network(), dict[str, tuple[LinearOperator, Tensor]]()

    def remember(name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            if isinstance(module, LinearOperator):
                met[name] = (module, inputs[0].detach())

        return hook

    handles = [
        module.register_forward_pre_hook(remember(name))
        for name, module in network.named_modules()
        if isinstance(module, LinearOperator)
    ]
    network(examinee.field())
    for handle in handles:
        handle.remove()
    for name, (W, u) in met.items():
        v = torch.randn(u.shape, dtype=u.dtype, generator=torch.Generator().manual_seed(4))
        zero, image = W(torch.zeros_like(u)).detach(), W(v).detach()
        _close(examinee, f"{name} is not affine", W(2 * v - u), 2 * image - W(u))
        if "affine" in W.tags:
            continue
        _require(float(zero.abs().max()) == 0, f"{examinee.name}: {name} maps 0 to something else")
        w = torch.randn(image.shape, dtype=u.dtype, generator=torch.Generator().manual_seed(6))
        left, right = W.target.inner(image, w), W.source.inner(v, W.adjoint()(w))
        scale = (W.target.inner(image, image) * W.target.inner(w, w)).sqrt()
        holds = bool(((left - right).abs() <= ROUND_OFF * scale).all())
        _require(holds, f"{examinee.name}: {name} breaks (Wu, v) = (u, W*v)")


NETWORK_THEOREMS: tuple[Callable[[Examinee], None], ...] = (
    maps_fields_to_fields,
    treats_samples_alone,
    ignores_the_order_in_memory,
    a_seed_is_a_network,
    uses_every_parameter,
    gradients,
    survives_zero,
    computes_in_single_precision,
    saves_and_loads,
    exports,
    other_resolutions,
    refuses_wrong_fields,
    operators_are_linear,
)


def _close(examinee: Examinee, failure: str, found: Tensor, expected: Tensor, tolerance: float = ROUND_OFF) -> None:
    size = float(expected.detach().abs().max())
    error = float((found - expected).detach().abs().max())
    _require(
        error <= tolerance * size or error == 0,
        f"{examinee.name}: {failure} (difference {error:.2e} of {size:.2e}, allowed {tolerance:.0e})",
    )


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ExamFailed(sentence)
