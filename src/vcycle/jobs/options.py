"""The options that a configuration has, read off its schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Option:
    """One option: its dotted path, what it takes, its default, its meaning, the variants of its group that have it.

    A group is an option too, which stands for one of its members, `chooses`: --network mgno is --network.name mgno.
    The value of a `text` is never read as YAML.
    """

    path: str
    takes: str
    default: Any
    about: str
    text: bool
    chooses: str | None = None
    variants: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return flag(self.path)


def flag(path: str) -> str:
    """network.weight_decay as it is typed: --network.weight-decay."""
    return "--" + path.replace("_", "-")


def members(field: FieldInfo) -> dict[str, type[BaseModel]]:
    """The schemas of a group by the names that select them ('' for the only one); empty for a plain option."""
    return _members(field.annotation)


def options(
    model: type[BaseModel],
    prefix: str = "",
    variants: tuple[str, ...] = (),
    only: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Option]:
    """All options, groups before their members; options that several variants share come once for each.

    `only` names the variant whose members are listed, for some groups by their paths: {'network': 'fno'}.
    """
    for name, field in model.model_fields.items():
        path, about, inner = prefix + name, field.description or "", members(field)
        if inner:
            default = dict(field.default)["name"] if isinstance(field.default, BaseModel) else field.default
            takes, chooses = ("path", "path") if "" in inner else ("|".join(inner), "name")
            yield Option(path, takes, default, about, chooses == "path", chooses, variants)
            listed = {tag: member for tag, member in inner.items() if only.get(path, tag) == tag}
            for member in dict.fromkeys(listed.values()):
                tags = tuple(tag for tag, other in listed.items() if tag and other is member)
                yield from options(member, path + ".", tags if len(tags) < len(listed) else (), only)
        elif not (prefix and name == "name"):
            default = "required" if field.is_required() else field.default
            text = field.annotation in (str, str | None)
            yield Option(path, _takes(field), default, about, text, variants=variants)


def _members(annotation: Any) -> dict[str, type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        choice = annotation.model_fields.get("name")
        return dict.fromkeys(get_args(choice.annotation) if choice is not None else ("",), annotation)
    found: dict[str, type[BaseModel]] = {}
    if get_origin(annotation) in (Union, UnionType, Annotated):
        for part in get_args(annotation):
            found |= _members(part)
    return found


def _takes(field: FieldInfo) -> str:
    """What an option takes, in a word: the one in its annotation, or the type's."""
    written = [note for note in field.metadata if isinstance(note, str)]
    return written[0] if written else _word(field.annotation)


def _word(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "|".join(str(value) for value in get_args(annotation))
    if get_origin(annotation) is Annotated:
        written = [note for note in get_args(annotation)[1:] if isinstance(note, str)]
        return written[0] if written else _word(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return "|".join(_word(part) for part in get_args(annotation) if part is not NoneType)
    names = {int: "integer", float: "number", bool: "true|false", str: "text"}
    return names.get(annotation, "list" if get_origin(annotation) in (list, tuple) else "value")
