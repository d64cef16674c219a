"""Request validation: required parameters, and bodies against the API's models."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT4

from rehearsal.gateway.call import Call, RefusedError
from rehearsal.gateway.document import INTEGRATION, pointer, resolve

DOCUMENT = "urn:api"
JSON = "application/json"

# In the words of API Gateway's own validator, because people search for them.
WORDS: Mapping[str, Callable[[ValidationError], str]] = {
    "type": lambda error: (
        f"instance type ({_primitive(error.instance)}) does not match any allowed primitive type "
        f"(allowed: {_json(_listed(error.validator_value))})"
    ),
    "minLength": lambda error: (
        f"string {_json(error.instance)} is too short "
        f"(length: {len(error.instance)}, required minimum: {error.validator_value})"
    ),
    "maxLength": lambda error: (
        f"string {_json(error.instance)} is too long "
        f"(length: {len(error.instance)}, maximum allowed: {error.validator_value})"
    ),
    "pattern": lambda error: (
        f"ECMA 262 regex {_json(error.validator_value)} does not match input string {_json(error.instance)}"
    ),
    "enum": lambda error: (
        f"instance value ({_json(error.instance)}) not found in enum (possible values: {_json(error.validator_value)})"
    ),
    "additionalProperties": lambda error: (
        "object instance has properties which are not allowed by the schema: "
        f"{_json(sorted(set(error.instance) - set(error.schema.get('properties', {}))))}"
    ),
}


@dataclass(frozen=True)
class Validation:
    """What is checked before an operation's integration is called.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
    """

    required: tuple[tuple[str, str], ...]
    """Place (path, query, header) and name of every required parameter."""

    models: Mapping[str, Draft4Validator]
    """By media type."""

    accepted: frozenset[str] | None
    """The media types that are not refused; None (unless passthroughBehavior is ``never``) accepts all."""

    def check(self, call: Call) -> None:
        """Raise ``RefusedError`` for a request that breaks the API's rules."""
        self._check_parameters(call)
        media_type = call.header("Content-Type").partition(";")[0].strip().lower() or JSON
        if self.accepted is not None and call.body and media_type not in self.accepted:
            raise RefusedError("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
        # A body of another type passes unchecked, as on AWS.
        if (model := self.models.get(media_type)) is not None:
            _check_body(call.body, model)

    def _check_parameters(self, call: Call) -> None:
        found = {
            "path": lambda name: call.path_parameters.get(name, ""),
            "query": lambda name: "".join(call.query.get(name, [])),
            "header": call.header,
        }
        missing = [name for place, name in self.required if not found[place](name).strip()]
        if missing:
            raise RefusedError("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]")


def validation(document: Mapping[str, Any], path: str, key: str, operation: Mapping[str, Any]) -> Validation:
    """Compile what the document demands of the operation under ``key`` of ``path``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-request-validator.html
    """
    integration = operation.get(INTEGRATION) or {}
    name = operation.get("x-amazon-apigateway-request-validator", document.get("x-amazon-apigateway-request-validator"))
    rules = (document.get("x-amazon-apigateway-request-validators") or {}).get(name) or {}
    item = document["paths"][path]
    parameters = [resolve(document, each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    required = tuple(
        (each["in"], each["name"]) for each in parameters if each.get("required") and each["in"] != "cookie"
    )
    models = dict(_models(document, path, key, operation))
    strict = str(integration.get("passthroughBehavior", "")).lower() == "never"
    return Validation(
        required=required if rules.get("validateRequestParameters") else (),
        models=models if rules.get("validateRequestBody") else {},
        accepted=frozenset(models) if strict else None,
    )


def _models(
    document: Mapping[str, Any], path: str, key: str, operation: Mapping[str, Any]
) -> Iterator[tuple[str, Draft4Validator]]:
    registry: Registry[Any] = Registry().with_resource(DOCUMENT, DRAFT4.create_resource(document))
    body = operation.get("requestBody") or {}
    base = body["$ref"] if "$ref" in body else pointer("paths", path, key, "requestBody")
    for media_type, content in (resolve(document, body).get("content") or {}).items():
        schema = {}
        if "schema" in content:
            place = quote(f"{base}/{pointer('content', media_type, 'schema')[2:]}", safe="#/~")
            schema = {"$ref": DOCUMENT + place}
        yield media_type.lower(), Draft4Validator(schema, registry=registry)


def _check_body(body: bytes, model: Draft4Validator) -> None:
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
        errors = list(model.iter_errors(value))
    except (Unresolvable, re.PatternError) as error:
        raise RefusedError("API_CONFIGURATION_ERROR", "Internal server error") from error
    except (ValueError, RecursionError) as error:
        raise RefusedError("BAD_REQUEST_BODY", "Invalid request body", validation="Invalid request body") from error
    if errors:
        raise RefusedError("BAD_REQUEST_BODY", "Invalid request body", validation=f"[{', '.join(_explain(errors))}]")


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


def _explain(errors: Iterable[ValidationError]) -> Iterator[str]:
    """Say what is wrong: one sentence per fault, and one for all the properties that an object lacks."""
    lacking: dict[str, list[str]] = {}
    for error in errors:
        if error.validator == "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            lacking[error.json_path] = sorted(missing)
        else:
            yield WORDS[error.validator](error) if error.validator in WORDS else error.message
    for missing in lacking.values():
        yield f"object has missing required properties ({_json(missing)})"


def _primitive(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
