"""P0's released classes (xlliu2017/MgNO, models.py) in terms of ours."""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from vcycle.networks.activations import activation
from vcycle.networks.cycle import Cycle
from vcycle.networks.neuron import Neurons
from vcycle.networks.renamed import REQUIRED, Published, take
from vcycle.operators import Affine, Pointwise
from vcycle.spaces import Domain, Ghost, Space

SQUARE = Domain.unit(2)
SMOOTH_PROLONGATIONS = ((3, 1), (4, 1), (3, 1), (3, 1), (4, 1))  # 211 from 106 from 53 from 27 from 14 from 7 points
HELMHOLTZ_GRIDS = ((101, 101), (50, 50), (24, 24), (11, 11))
EPSILON = 1e-5  # of every published normaliser

SIZES = {"num_channel_u": REQUIRED, "num_channel_f": REQUIRED, "num_iteration": REQUIRED}
NETWORK = SIZES | {"num_layer": REQUIRED, "activation": "gelu"}
UNREAD = ("num_classes", "in_chans", "init")
Options = dict[str, Any]
State = Mapping[str, Any]


def mgno_darcy(name: str, options: Options, state: State) -> Published:
    """MgNO_DC and MgNO_DC_smooth: layers sigma(W u + B u), a 1 x 1 head without bias, the normaliser's decode."""
    o = take(name, options, NETWORK | {"normalizer": None, "padding_mode": "zeros"}, (*UNREAD, "output_dim"))
    cycle, unused = _cycle(name.replace("MgNO", "MgConv"), o["num_iteration"], padding_mode=o["padding_mode"])
    parts = _parts(neurons=_neurons(cycle, o, skip=True), head=_matrix(o["num_channel_u"], 1))
    if o["normalizer"]:
        mean, deviation = _normaliser(name, state)
        parts["decode"] = _decode(mean, deviation)
        unused = rf"{unused}|normalizer\.(mean|std)"
    return Published(nn.Sequential(parts), _foreign("linear"), unused)


def mgno_navier_stokes(name: str, options: Options, state: State) -> Published:
    """MgNO_NS: u + head(layers sigma(W u)), W with a LayerNorm inside, always circular."""
    defaults = {"mlp_hidden_dim": 0, "output_dim": 1, "bias": False, "use_res": False, "elementwise_affine": True}
    o = take(name, options, NETWORK | defaults, (*UNREAD, "normalizer", "padding_mode"))
    inner = {key: o[key] for key in ("bias", "use_res", "elementwise_affine")}
    cycle, unused = _cycle("MgConv", o["num_iteration"], padding_mode="circular", **inner)
    head: nn.Module = _matrix(o["num_channel_u"], 1)
    if o["mlp_hidden_dim"]:
        into = _matrix(o["num_channel_u"], o["mlp_hidden_dim"], bias=True)
        head = nn.Sequential(into, nn.GELU(), _matrix(o["mlp_hidden_dim"], o["output_dim"]))
    parts = _parts(neurons=_neurons(cycle, o, skip=False), head=head)
    return Published(Increment(nn.Sequential(parts)), _foreign("last_layer"), unused)


def mgno_helmholtz(name: str, options: Options, state: State) -> Published:
    """MgNO_helm: layers sigma(N(W u)) with growing channels, then a V-cycle to one channel."""
    o = take(name, options, NETWORK | {"normalizer": None}, (*UNREAD, "output_dim"))
    cycle, unused = _cycle("MgConv_helm", o["num_iteration"])
    head = cycle.build(Space(SQUARE, o["num_channel_u"]), Space(SQUARE))
    parts = _parts(neurons=_neurons(cycle, o, skip=False, norm=HELMHOLTZ_GRIDS[0]), head=head)
    return _squeezed_and_decoded(name, parts, o, state, _foreign("last_layer"), unused)


def mgno_helmholtz_2(name: str, options: Options, state: State) -> Published:
    """MgNO_helm2: layers sigma(W u), W with a LayerNorm inside, then a 1 x 1 matrix or (if_mlp) a V-cycle."""
    o = take(name, options, NETWORK | {"normalizer": None, "if_mlp": False}, (*UNREAD, "output_dim", "mlp_hidden_dim"))
    cycle, unused = _cycle("MgConv_helm3", o["num_iteration"])
    head: nn.Module = _matrix(o["num_channel_u"], 1, bias=True)
    if o["if_mlp"]:
        head = cycle.build(Space(SQUARE, o["num_channel_u"]), Space(SQUARE))
    parts = _parts(neurons=_neurons(cycle, o, skip=False), head=head)
    return _squeezed_and_decoded(name, parts, o, state, _foreign("mlp"), unused)


def mgno_cycle(name: str, options: Options, state: State) -> Published:
    """One of the V-cycles by itself: MgConv, MgConv_DC, MgConv_DC_smooth, MgConv_helm, MgConv_helm2, MgConv_helm3."""
    helmholtz = name.startswith("MgConv_helm")
    defaults: Options = {} if name == "MgConv_helm" else {"bias": False}
    unread: tuple[str, ...] = ("init", "padding_mode", "elementwise_affine") if helmholtz else ()
    if not helmholtz:
        defaults |= {"padding_mode": "zeros", "use_res": False}
    if name == "MgConv":
        defaults |= {"elementwise_affine": True}
    o = take(name, options, SIZES | defaults, unread)
    cycle, unused = _cycle(name, o["num_iteration"], **{key: o[key] for key in defaults})
    network = cycle.build(Space(SQUARE, o["num_channel_f"]), Space(SQUARE, o["num_channel_u"]))
    return Published(network, _foreign_cycle, unused)


class Increment(nn.Module):
    """u + network(u): one time step."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, u: Tensor) -> Tensor:
        return self.network(u) + u


class Squeezed(nn.Module):
    """The published shape of a decoded Helmholtz field: without axes of one point, but with those of the normaliser."""

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.shape = shape

    def forward(self, u: Tensor) -> Tensor:
        return u.reshape(torch.broadcast_shapes(u.squeeze().shape, self.shape))


def _cycle(
    name: str,
    num_iteration: Sequence[Any],
    *,
    padding_mode: Ghost = "zeros",
    bias: bool = False,
    use_res: bool = False,
    elementwise_affine: bool = True,
) -> tuple[Cycle, str]:
    """The V-cycle of a published class, and a regular expression for the keys that it allocates but never runs."""
    given = [(n, 0) if isinstance(n, int) else tuple(n) for n in num_iteration]
    levels = len(given)
    # The coarsest level's post-smoothing exists in the published classes, but is never reached.
    unused = [rf"post_smooth_layer{levels - 1}\..*"]
    steps = (*given[:-1], (given[-1][0], 0))
    cycle = Cycle(steps, residual=use_res, ghost=padding_mode, prolongation_ghost="zeros", bias=bias)
    if name == "MgConv":
        grids = [(64 // 2**level,) * 2 for level in range(levels - 1)]
        cycle = replace(cycle, norms=tuple((grid, elementwise_affine) for grid in grids))
    elif name == "MgConv_DC_smooth":
        _require_levels(name, levels, range(1, 7))
        unused += [rf"RTlayers\.{level}\.weight" for level in range(levels - 1, 5)]
        cycle = replace(cycle, prolongations=SMOOTH_PROLONGATIONS)
    elif name.startswith("MgConv_helm"):
        _require_levels(name, levels, (1, 2, 5))
        prolongations = ((3, 0), *((4, 0),) * max(0, levels - 3), (3, 0))
        unused += [rf"RTlayers\.{level}\.weight" for level in range(levels - 1, len(prolongations))]
        cycle = replace(cycle, ghost="reflect", restriction_padding=0, prolongations=prolongations)
        if name == "MgConv_helm":
            cycle = replace(cycle, bias=True, growing=True)
            unused.append(r"layer0\.0\.A\..*")
        else:
            norms = tuple((grid, level == 0) for level, grid in enumerate(HELMHOLTZ_GRIDS))
            cycle = replace(cycle, growing=name == "MgConv_helm2", norms=norms)
            unused += [r"norm_layer_list\.0\..*"] if levels == 1 else []
    # Inside a network the same keys follow the name of the layer or of the head.
    return cycle, rf"((conv_list\.\d+|last_layer|mlp)\.)?({'|'.join(unused)})"


def _require_levels(name: str, levels: int, possible: Sequence[int]) -> None:
    if levels not in possible:
        raise ValueError(f"{name}: its grids fit {list(possible)} levels, got num_iteration for {levels}")


def _neurons(cycle: Cycle, o: Options, *, skip: bool, norm: tuple[int, int] | None = None) -> nn.Sequential:
    layers, hidden = [], Space(SQUARE, o["num_channel_u"])
    for layer in range(o["num_layer"]):
        source = Space(SQUARE, o["num_channel_f"]) if layer == 0 else hidden
        B = Pointwise(source, hidden, bias=True) if skip else None
        N = None if norm is None else nn.LayerNorm([hidden.channels, *norm])
        layers.append(Neurons(cycle.build(source, hidden), B, activation(o["activation"], hidden), norm=N))
    return nn.Sequential(*layers)


def _parts(**parts: nn.Module) -> OrderedDict[str, nn.Module]:
    return OrderedDict(parts)


def _matrix(in_channels: int, out_channels: int, *, bias: bool = False) -> Pointwise:
    return Pointwise(Space(SQUARE, in_channels), Space(SQUARE, out_channels), bias=bias)


def _normaliser(name: str, state: State) -> tuple[Tensor, Tensor]:
    for key in ("normalizer.mean", "normalizer.std"):
        if key not in state:
            raise ValueError(f"{name}: a normalizer is configured, but the state has no {key!r}")
    return state["normalizer.mean"], state["normalizer.std"]


def _decode(mean: Tensor, deviation: Tensor) -> Affine:
    """y -> y (std + eps) + mean, per point."""
    grid = (1, *mean.shape[-2:])
    return Affine(mean.reshape(grid), deviation.reshape(grid) + EPSILON).inverse()


def _squeezed_and_decoded(
    name: str,
    parts: OrderedDict[str, nn.Module],
    o: Options,
    state: State,
    foreign: Callable[[str], str | None],
    unused: str,
) -> Published:
    if o["normalizer"]:
        mean, deviation = _normaliser(name, state)
        parts["decode"] = _decode(mean, deviation)
        parts["shape"] = Squeezed(tuple(mean.shape))
        unused = rf"{unused}|normalizer\.(mean|std)"
    return Published(nn.Sequential(parts), foreign, unused)


def _foreign(head: str) -> Callable[[str], str | None]:
    """The published name of a key of `neurons`, `head` or `decode` (None: made from the state already)."""

    def foreign(key: str) -> str | None:
        key = key.removeprefix("network.")
        part, _, rest = key.partition(".")
        if part == "decode":
            return None
        if part == "head":
            return f"{head}.{_foreign_cycle(rest)}"
        layer, _, rest = rest.partition(".")
        for ours, theirs in (("W", "conv_list"), ("B", "linear_list"), ("norm", "norm_layer_list")):
            if rest.startswith(f"{ours}."):
                return f"{theirs}.{layer}.{_foreign_cycle(rest.removeprefix(f'{ours}.'))}"
        raise AssertionError(key)

    return foreign


def _foreign_cycle(key: str) -> str:
    """The published name of a key of a V-cycle; other keys keep theirs."""
    found = re.fullmatch(r"levels\.(\d+)\.(\w+)\.(.+)", key)
    if not found:
        return key
    level, part, rest = int(found[1]), found[2], found[3]
    if part == "pre":
        step, _, rest = rest.partition(".")
        return f"layer{level}.{int(step) + (level > 0)}.{rest}"  # below the finest level, entry 0 is the restriction
    if part == "post":
        return f"post_smooth_layer{level}.{rest}"
    published = {"P": f"RTlayers.{level}", "norm": f"norm_layer_list.{level}"}
    return f"{published.get(part, f'layer{level + 1}.0.{part}')}.{rest}"
