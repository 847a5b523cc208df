"""A configuration from dotted arguments, YAML files and Python trees, merged and validated."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from vcycle.jobs.option_errors import ConfigError, sentence
from vcycle.jobs.options import members, options

Tree = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)


def parse(arguments: Sequence[str], model: type[BaseModel], home: str | None = None) -> Tree:
    """['--network.width', '32'] as {'network': {'width': 32}}; values are YAML.

    A group's own name stands for its variant (--network mgno) or for all of it (--network '{name: mgno, width: 32}');
    options of the group `home` may leave out its name.
    """
    known = {option.path: option for option in options(model)}
    tree: Tree = {}
    rest, value = list(arguments), ""
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            also = f", and a list is one word, [{value},{word}]" if value else ""
            raise ConfigError(f"expected an option, got {word!r}: options start with --{also}")
        key, equals, value = word[2:].partition("=")
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise ConfigError(f"--{key} needs a value")
            value = rest.pop(0)
        path = key.replace("-", "_")
        if home is not None and path.split(".")[0] not in model.model_fields:
            path = f"{home}.{path}"
        option = known.get(path)
        parsed = value if option is not None and option.text and value != "null" else read_value(value, key)
        if option is not None and option.chooses and parsed is not None and not isinstance(parsed, dict):
            path += f".{option.chooses}"
        _put(tree, path.split("."), parsed, word)
    return tree


def merge(base: Mapping[str, Any], changes: Mapping[str, Any], model: type[BaseModel]) -> Tree:
    """`base` with `changes`; a group whose variant changes starts from the new variant's defaults."""
    return _merged(_named(_expanded(base, [model]), model), _expanded(changes, [model]))


def resolve(model: type[Model], tree: Mapping[str, Any], home: str | None = None) -> Model:
    """The validated configuration; raises ConfigError with one sentence."""
    try:
        return model.model_validate(_named(_expanded(tree, [model]), model))
    except ValidationError as error:
        raise ConfigError(sentence(error, model, home)) from None


def dump(config: BaseModel) -> str:
    """YAML that reads back as the same configuration."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def read_file(path: str | Path) -> Tree:
    """A YAML file as nested dictionaries."""
    try:
        tree = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} holds no options: expected lines such as 'loss: h1'")
    return tree


def read_value(text: str, key: str) -> Any:
    """One YAML value."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError:
        raise ConfigError(
            f"--{key}: cannot read {text!r} as a value; a list is [a, b], one of lists [[a, b], c]"
        ) from None


class _Loader(yaml.SafeLoader):
    """Reads 1e-3 as a number, which YAML 1.1 takes for text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def _put(tree: Tree, path: list[str], value: Any, word: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{word} contradicts an earlier option")
    tree[path[-1]] = value


def _expanded(tree: Mapping[str, Any], models: Sequence[type[BaseModel]]) -> Tree:
    """With {'name': 'mgno'} for every 'mgno' that stands for a group."""
    out: Tree = {}
    for key, value in tree.items():
        groups = [members(m.model_fields[key]) for m in models if key in m.model_fields]
        inner = [member for group in groups for member in group.values()]
        if inner and isinstance(value, str):
            value = {"path" if "" in groups[0] else "name": value}
        elif isinstance(value, BaseModel):
            value = value.model_dump()
        out[key] = _expanded(value, inner) if inner and isinstance(value, Mapping) else value
    return out


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    out = dict(base)
    for key, value in changes.items():
        old = out.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        out[key] = _merged(old, value) if both and value.get("name", old.get("name")) == old.get("name") else value
    return out


def _named(tree: Mapping[str, Any], model: type[BaseModel]) -> Tree:
    """With the default variant's name in every group that gives options but no name."""
    out = dict(tree)
    for key, value in tree.items():
        field = model.model_fields.get(key)
        inner = members(field) if field is not None else {}
        if field is None or not inner or not isinstance(value, Mapping):
            continue
        if "" in inner:
            out[key] = _named(value, inner[""])
            continue
        default = dict(field.default)["name"] if isinstance(field.default, BaseModel) else next(iter(inner))
        named = {"name": default, **value}
        variant = inner.get(named["name"]) if isinstance(named["name"], str) else None  # what is none is refused later
        out[key] = named if variant is None else _named(named, variant)
    return out
