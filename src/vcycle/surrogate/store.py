"""Reading a run back: surrogate.yaml says what it is, weights.safetensors what it learned."""

from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file

from vcycle import networks, problems
from vcycle.networks import Normalised
from vcycle.operators import Affine
from vcycle.spaces import Domain
from vcycle.surrogate.surrogate import Surrogate

DESCRIPTION, WEIGHTS = "surrogate.yaml", "weights.safetensors"


def load(run: str | Path) -> Surrogate:
    """The surrogate of a training run, with the weights that were best on validation.

    Nothing is unpickled: the description is YAML, the weights are safetensors.
    Raises ValueError with one sentence for a folder that holds no run, or weights that do not fit its description.
    """
    folder = Path(run)
    for name in (DESCRIPTION, WEIGHTS):
        if not (folder / name).is_file():
            raise ValueError(
                f"{folder} holds no trained network (it has no {name}): give the --out folder of a training"
            )
    about = _read(folder / DESCRIPTION)
    try:
        domain = Domain(**about["domain"])
        names = tuple(about["input_names"]), tuple(about["output_names"])
        problem = None if about["problem"] is None else problems.build(about["problem"])
        bare = networks.build(about["network"], len(names[0]), len(names[1]), domain)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder / DESCRIPTION} is not the description of a surrogate: {error} is wrong") from error
    try:
        state = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise ValueError(f"{folder / WEIGHTS} is damaged ({error}): train again, or copy the file back") from error
    encode, decode = (Affine.identity(len(channels), domain.dimension) for channels in names)
    dtype = next(value.dtype for value in state.values() if value.is_floating_point())
    network = Normalised(bare, encode, decode).to(dtype).eval()
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise ValueError(f"the weights in {folder} do not fit its description: {str(error).splitlines()[1]}") from error
    if missing or unexpected:
        odd = [*missing, *unexpected][0]
        raise ValueError(f"the weights in {folder} do not fit its description: {odd} is in one of them only")
    return Surrogate(network, domain, *names, placement=about["placement"], problem=problem)


def _read(file: Path) -> dict[str, Any]:
    try:
        about = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not valid YAML: restore it, or train again") from error
    if not isinstance(about, dict):
        raise ValueError(f"{file} is not the description of a surrogate: restore it, or train again")
    return about
