"""The help of a configured command, written from its schema."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from vcycle.jobs.options import Option, members, options

HEAD = (
    ("--config FILE", "options from a YAML file; those given here come on top"),
    ("--print-config", "print the resulting configuration as YAML and stop"),
    ("--help", "show this"),
)
COLUMN, WIDTH = 42, 118
MANY = 6  # variants of a group, of which nobody reads all options at once


def describe(verb: str, about: str | None, model: type[BaseModel], home: str | None, given: Mapping[str, Any]) -> str:
    """All options with what they take, their meaning and defaults; groups after the plain ones.

    Of a group with many variants, such as the networks, those of the variant in the options `given`, or none.
    """
    wide = {name: members(field) for name, field in model.model_fields.items() if len(members(field)) > MANY}
    chosen = {name: given.get(name, {}).get("name", "") for name in wide}
    only = {name: choice if choice in wide[name] else "" for name, choice in chosen.items()}
    arguments = {"convert": " SOURCE OUT"}
    if verb == "generate":
        arguments["generate"] = f" [{'|'.join(members(model.model_fields['problem']))}]"
    listed = list(_merged(options(model, only=only)))
    groups = [option for option in listed if option.chooses is not None]
    lines = [f"usage: vcycle {verb}{arguments.get(verb, '')} [--option value ...]", "", about or "", ""]
    lines += [_row(left, right) for left, right in HEAD]
    lines += [_line(option, home) for option in listed if "." not in option.path and option.chooses is None]
    for position, group in enumerate(groups):
        first = group.path not in [other.path for other in groups[:position]]  # else of another variant, the same again
        own = [o for o in listed if o.path.rpartition(".")[0] == group.path and o.chooses is None and first]
        shown = [o for o in own if o.path != f"{group.path}.{group.chooses}"]
        lines += ["", _line(group, home), *(_line(option, home) for option in shown)]
        if only.get(group.path) == "":
            choice = "NAME" if group.path == home else f"{group.flag} NAME"
            lines.append(_row("", f"the options of one: vcycle {verb} {choice} --help"))
    return "\n".join(lines)


def _merged(found: Iterable[Option]) -> Iterable[Option]:
    """One entry for an option that several variants share, unless its default or meaning differs; owners last."""
    merged: dict[tuple[str, str, str], Option] = {}
    for option in found:
        key = (option.path, repr(option.default), option.about)
        shared = merged[key].variants if key in merged else ()
        merged[key] = replace(option, variants=tuple(dict.fromkeys(shared + option.variants)))
    takes = {option.path: option.takes.split("|") for option in merged.values() if option.chooses is not None}
    for option in merged.values():
        everywhere = list(option.variants) == takes.get(option.path.rpartition(".")[0])
        yield replace(option, variants=()) if everywhere else option


def _line(option: Option, home: str | None) -> str:
    owner = f"{', '.join(option.variants)}: " if option.variants else ""
    default = " (required)" if option.default == "required" else f" (default {_shown(option.default)})"
    flag = option.flag.replace(f"--{home}.", "--", 1)
    return _row(f"{flag} {option.takes}", owner + option.about + (default if option.default is not None else ""))


def _row(left: str, right: str) -> str:
    first, *rest = textwrap.wrap(right, WIDTH - COLUMN) or [""]
    gap = "\n" + " " * COLUMN
    # Long lists of choices break after a bar.
    lines = textwrap.wrap(left.replace("|", "| "), WIDTH, initial_indent="  ", subsequent_indent=" " * 6)
    shown = "\n".join(lines).replace("| ", "|")
    head = shown.ljust(COLUMN) if len(left) + 3 < COLUMN else f"{shown}{gap}"
    return gap.join([head + first, *rest])


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
