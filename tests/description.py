"""The description of Calendly's API, and whether requests and answers conform to it."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

FILE = Path(__file__).with_name("openapi.yaml")
URN = "urn:calendly"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(TIME.fullmatch(value))


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or all(urlsplit(value)[:2])


@FORMATS.checks("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or value.count("@") == 1


class Description:
    """An OpenAPI 3.1 description, read strictly: what it does not declare must not appear."""

    def __init__(self) -> None:
        """Read the file."""
        self.content: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))

    @property
    def paths(self) -> Mapping[str, Any]:
        """The operations that read, by path template."""
        return {template: item["get"] for template, item in self.content["paths"].items()}

    def parameters(self, template: str) -> list[dict[str, Any]]:
        """Return the query parameters of a path."""
        described = (self._at(one) for one in self.paths[template].get("parameters", ()))
        return [one for one in described if one["in"] == "query"]

    def request_complaints(self, method: str, path: str, query: str) -> list[str]:
        """Return how a request differs from those that the description allows."""
        template = self._template(path)
        if method != "GET" or template is None:
            return [f"{method} {path} is not described"]
        described = {one["name"]: one for one in self.parameters(template)}
        sent = parse_qs(query, keep_blank_values=True)
        required = {name for name, one in described.items() if one.get("required")}
        return [
            *(f"{name} is missing" for name in sorted(required - sent.keys())),
            *(f"{name} is not described" for name in sorted(sent.keys() - described.keys())),
            *(
                f"{name}: {error.message}"
                for name in sorted(sent.keys() & described.keys())
                for error in self._errors(
                    described[name]["schema"], _parsed(sent[name], described[name]["schema"])
                )
            ),
        ]

    def complaints(self, template: str, answer: requests.Response) -> list[str]:
        """Return how an answer differs from the description of ``template``."""
        status, method = str(answer.status_code), str(answer.request.method).lower()
        responses = self.content["paths"][template][method]["responses"]
        if status not in responses:
            return [f"status {status} is not described"]
        pointer = f"/paths/{_escaped(template)}/{method}/responses/{status}"
        return self._complaints(pointer, responses[status], answer)

    def complaints_as(self, name: str, answer: requests.Response) -> list[str]:
        """Return how an answer differs from the response described as ``name``."""
        pointer = f"/components/responses/{name}"
        return self._complaints(pointer, self.content["components"]["responses"][name], answer)

    def record_complaints(self, schema: str, record: object) -> list[str]:
        """Return how a record differs from the schema of that name."""
        reference = {"$ref": f"{URN}#/components/schemas/{schema}", "unevaluatedProperties": False}
        return [f"{one.json_path}: {one.message}" for one in self._errors(reference, record)]

    def _template(self, path: str) -> str | None:
        """Return the template of a path; one without identifiers comes before one with some."""
        for template in sorted(self.paths, key=lambda one: one.count("{")):
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                return template
        return None

    def _complaints(self, pointer: str, response: Any, answer: requests.Response) -> list[str]:  # noqa: ANN401 -- a piece of YAML
        if "$ref" in response:
            pointer = response["$ref"].removeprefix("#")
            response = self._at(response)
        complaints = list(self._header_complaints(response["headers"], answer))
        if answer.headers.get("Content-Type") != "application/json":
            complaints.append(f"content type {answer.headers.get('Content-Type')}")
        schema = {"$ref": f"{URN}#{pointer}/content/{_escaped('application/json')}/schema"}
        return complaints + [
            f"{error.json_path}: {error.message}" for error in self._errors(schema, answer.json())
        ]

    def _header_complaints(
        self, headers: Mapping[str, Any], answer: requests.Response
    ) -> list[str]:
        complaints = []
        for name, reference in headers.items():
            value = answer.headers.get(name)
            schema = self._at(reference)["schema"]
            if value is None:
                complaints.append(f"header {name} is missing")
                continue
            parsed = int(value) if schema["type"] == "integer" and value.isdecimal() else value
            complaints += [f"header {name}: {one.message}" for one in self._errors(schema, parsed)]
        return complaints

    def _errors(self, schema: Mapping[str, Any], instance: object) -> list[Any]:
        validator = Draft202012Validator(schema, registry=self._registry, format_checker=FORMATS)
        return list(validator.iter_errors(instance))

    @cached_property
    def _registry(self) -> Registry[Any]:
        resource = Resource.from_contents(_strict(self.content), default_specification=DRAFT202012)
        registry: Registry[Any] = Registry().with_resource(URN, resource)
        return registry

    def _at(self, piece: Any) -> Any:  # noqa: ANN401 -- a piece of YAML
        """Return what a reference stands for; anything else as it is."""
        if "$ref" not in piece:
            return piece
        found = self.content
        for key in piece["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        return found


def _parsed(values: list[str], schema: Mapping[str, Any]) -> object:
    """Return what a parameter says, of the type that the schema names if it can be."""
    if schema["type"] == "array" or len(values) > 1:
        return values
    (text,) = values
    if schema["type"] == "integer" and re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if schema["type"] == "boolean" else text


def _strict(content: dict[str, Any]) -> dict[str, Any]:
    """Return the description with every object closed to fields it does not declare.

    An object is closed where a schema is used, not where it is defined, so that one definition
    may extend another.
    """
    components = content["components"]
    defined = {
        name: {key: _closed(value) for key, value in schema.items()}
        for name, schema in components["schemas"].items()
    }
    open_components = {**_closed(components), "schemas": defined}
    return {**_closed(content), "components": open_components}


def _closed(piece: Any) -> Any:  # noqa: ANN401 -- a piece of YAML
    if isinstance(piece, list):
        return [_closed(one) for one in piece]
    if not isinstance(piece, dict):
        return piece
    closed = {key: _closed(value) for key, value in piece.items()}
    reference = piece.get("$ref")
    is_object = isinstance(piece.get("properties"), dict) or (
        isinstance(reference, str) and reference.startswith("#/components/schemas/")
    )
    return {**closed, "unevaluatedProperties": False} if is_object else closed


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
