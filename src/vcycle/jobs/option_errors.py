"""Complaints about a configuration as one sentence that names the option as it is typed."""

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vcycle.jobs.options import flag, members, options

SHARED = ("boundary", "extents")  # said of data, and of a problem


class ConfigError(ValueError):
    """A configuration that cannot be used; the message is one sentence that names the option."""


def sentence(error: ValidationError, model: type[BaseModel], home: str | None = None) -> str:
    """The first complaint. Options of the group `home` are named without it."""
    # An unknown option first, for what else is wrong is often its consequence; what is missing last.
    last = {"extra_forbidden": -1, "missing": 1}
    details = min(error.errors(include_url=False), key=lambda e: last.get(e["type"], 0))
    path, owner = _place(details["loc"], model)
    shown = _flag(path, home)
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            return _unknown(path, _typed(path, details["input"]), owner, model, home)
        case "missing" if home is not None and path == [home, "path"]:
            given = ", ".join(_flag([home, name], home) for name in details["input"])
            hint = next((f", or say --problem.{n} for the problem's" for n in details["input"] if n in SHARED), "")
            return f"{given} tells of --{home}, which is missing: give it{hint}"
        case "missing":
            return f"{shown} is missing{_about(path, owner)}"
        case "union_tag_invalid" | "union_tag_not_found":
            tags = [tag.strip("'") for tag in context["expected_tags"].split(", ")]
            return _no_such(shown, context.get("tag", details["input"]), tags)
        case "literal_error" if isinstance(details["input"], str):
            named = path[:-1] if path[-1] == "name" else path
            return _no_such(_flag(named, home), details["input"], _literals(details))
        case "value_error":
            return f"{shown}: {context['error']}" if path else str(context["error"])
    message = details["msg"].removeprefix("Input should be ").split(", unable to")[0]
    message = message.replace("a valid tuple", "a list")
    return f"{shown} must be {message}, got {details['input']!r:.80}"


def _place(loc: tuple[Any, ...], model: type[BaseModel]) -> tuple[list[str], type[BaseModel] | None]:
    """The path of an option without the tags that pydantic puts between, and the schema that owns its last part."""
    path: list[str] = []
    owner: type[BaseModel] | None = None
    inside: dict[str, type[BaseModel]] = {"": model}
    for part in loc:
        if len(inside) > 1 and part in inside:
            inside = {"": inside[str(part)]}
            continue
        owner = next(iter(inside.values()), None)
        path.append(str(part))
        field = owner.model_fields.get(str(part)) if owner is not None else None
        found = members(field) if field is not None else {}
        inside = {"": next(iter(found.values()))} if len(set(found.values())) == 1 else found
    return path, owner


def _typed(path: list[str], value: Any) -> list[str]:
    """The whole path that was typed; a schema refuses it where it leaves the schema."""
    while isinstance(value, dict) and len(value) == 1:
        ((key, value),) = value.items()
        path = [*path, str(key)]
    return path


def _unknown(
    path: list[str], typed: list[str], owner: type[BaseModel] | None, model: type[BaseModel], home: str | None
) -> str:
    said = f"unknown option {_flag(typed, home)}"
    known = dict.fromkeys(option.path for option in options(model))  # in the order of the schema
    if ".".join(path) in known:
        return f"{said} here: it belongs to {_owners(path, model, home)}"
    siblings = {name: [*path[:-1], name] for name in (owner.model_fields if owner else ()) if name != "name"}
    if home is not None and path[:-1] == [home]:
        siblings = {name: [name] for name in model.model_fields if name != home} | siblings
    near = get_close_matches(path[-1], siblings, n=1) or get_close_matches(typed[-1], siblings, n=1)
    far = [p.split(".") for p in sorted(known, key=lambda p: p.count("."))]
    same = next((p for p in far if p[-1] == path[-1]), None)
    alike = get_close_matches(path[-1], [p[-1] for p in far], n=1)
    suggestion = same or (siblings[near[0]] if near else next((p for p in far if p[-1] in alike), None))
    elsewhere = suggestion is not None and suggestion[:-1] == path[:-1] and suggestion[-1] not in siblings
    of = f" of {_owners(suggestion, model, home)}" if suggestion and elsewhere else ""
    hint = f"did you mean {_flag(suggestion, home)}{of}? " if suggestion else ""
    return f"{said}: {hint}known: {', '.join(_flag(p, home) for p in siblings.values())}"


def _owners(path: list[str], model: type[BaseModel], home: str | None) -> str:
    """The variants of its group that have an option."""
    owners = dict.fromkeys(v for o in options(model) if o.path == ".".join(path) for v in o.variants)
    return f"{_flag(path[:-1], home)} {' and '.join(owners)}"


def _no_such(shown: str, value: Any, known: list[str]) -> str:
    near = get_close_matches(str(value), known, n=1)
    return (
        f"{shown} cannot be {value!r}: "
        + (f"did you mean {near[0]!r}? " if near else "")
        + f"known: {', '.join(known)}"
    )


def _literals(details: ErrorDetails) -> list[str]:
    return [part.strip("' ") for part in details["ctx"]["expected"].replace(" or ", ",").split(",")]


def _about(path: list[str], owner: type[BaseModel] | None) -> str:
    field = owner.model_fields.get(path[-1]) if owner is not None else None
    return f": it is the {field.description}" if field is not None and field.description else ""


def _flag(path: list[str], home: str | None) -> str:
    return flag(".".join(path[1:] if len(path) > 1 and path[0] == home else path))
