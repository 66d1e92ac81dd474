"""JSON Schema 2020-12 of types: attrs classes and enums by reference, all else in place."""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, get_args

import attrs
import cattrs.preconf.orjson

from entrypoints.http.hints import fields_of, item_of, origin_of, rule_of
from entrypoints.http.schema import (
    Choice,
    Described,
    Listing,
)

if TYPE_CHECKING:
    from entrypoints.http.schema import (
        TypeForm,
    )

Json = dict[str, Any]

COMPONENTS = "#/components/schemas"
_defaults = cattrs.preconf.orjson.make_converter()


def default_of(field: attrs.Attribute[Any]) -> Json:
    """The keyword `default` of a field, where its default is one value and not made anew."""
    default = field.default
    made_anew = isinstance(default, type(attrs.Factory(list)))
    if default is attrs.NOTHING or made_anew:
        return {}
    return {"default": _defaults.unstructure(default)}


@attrs.define
class Schemas:
    """The named schemas met so far: attrs classes and enums, each under its class name."""

    components: dict[str, Json] = attrs.field(factory=dict)
    _named: dict[str, Any] = attrs.field(factory=dict, init=False)

    def of(self, kind: TypeForm) -> Json:
        """The schema of a type.

        Raises:
            TypeError: The type has no rule, or two classes share a name.
        """
        if origin_of(kind) is Annotated:
            return self._annotated(kind)
        if origin_of(kind) in (typing.Union, types.UnionType):
            return {"anyOf": [self._member(member) for member in get_args(kind)]}
        if attrs.has(origin_of(kind) or kind):
            return self._component(kind)
        rule = rule_of(kind)
        if rule is None:
            raise TypeError(f"no schema for {kind}")
        if isinstance(rule, Choice) and isinstance(kind, type):
            return self._reference(kind.__name__, kind) or self._define(
                kind.__name__, rule.keywords()
            )
        if isinstance(rule, Listing):
            return {**rule.keywords(), "items": self.of(item_of(kind))}
        return rule.keywords()

    def _member(self, kind: TypeForm) -> Json:
        return {"type": "null"} if kind is type(None) else self.of(kind)

    def _annotated(self, kind: TypeForm) -> Json:
        bare, *markers = get_args(kind)
        rule = rule_of(kind)
        schema = self.of(bare)
        if rule is not None and rule in markers:
            schema = rule.keywords()
            if isinstance(rule, Listing):
                schema["items"] = self.of(item_of(kind))
        for marker in markers:
            if isinstance(marker, Described):
                schema.update(marker.documentation())
        return schema

    def _component(self, kind: TypeForm) -> Json:
        cls = origin_of(kind) or kind
        name = "".join([cls.__name__, *(f"Of{argument.__name__}" for argument in get_args(kind))])
        if reference := self._reference(name, kind):
            return reference
        schema: Json = {"type": "object"}
        reference = self._define(name, schema)
        if cls.__doc__:
            schema["description"] = cls.__doc__.strip().splitlines()[0]
        fields = fields_of(kind)
        schema["properties"] = {
            field.alias or field.name: self._field(field, hint) for field, hint in fields
        }
        if required := [
            field.alias or field.name for field, _ in fields if field.default is attrs.NOTHING
        ]:
            schema["required"] = required
        schema["additionalProperties"] = False
        return reference

    def _field(self, field: attrs.Attribute[Any], hint: TypeForm) -> Json:
        return {**self.of(hint), **default_of(field)}

    def _reference(self, name: str, kind: TypeForm) -> Json | None:
        if name not in self._named:
            self._named[name] = kind
            return None
        if self._named[name] != kind:
            raise TypeError(f"two classes are named {name}")
        return {"$ref": f"{COMPONENTS}/{name}"}

    def _define(self, name: str, schema: Json) -> Json:
        self.components[name] = schema
        return {"$ref": f"{COMPONENTS}/{name}"}
