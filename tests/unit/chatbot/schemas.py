"""Checks answers against the API's own OpenAPI document."""

from functools import cache
from typing import Any

from openapi_schema_validator import OAS30Validator

from chatbot.openapi import document


@cache
def _validator(name: str) -> Any:
    return OAS30Validator({"$ref": f"#/components/schemas/{name}", "components": document()["components"]})


def check(name: str, answer: object) -> None:
    """Raise unless an answer is what the model of this name says."""
    _validator(name).validate(answer)
