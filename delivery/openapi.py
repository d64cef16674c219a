"""Who may call an API that is described by an OpenAPI document: whoever comes, where nothing asks for more."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from delivery.attributes import UNKNOWN

METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
ANY: Final = "x-amazon-apigateway-any-method"
AUTH: Final = "x-amazon-apigateway-auth"
UNREADABLE: Final = "whatever its body describes"


def open_operations(body: Any) -> Iterator[str]:
    """Yield the operations that API Gateway lets anyone call; ``UNREADABLE`` for a body that does not say.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-auth.html
    """
    if not body:
        return
    try:
        document = json.loads(body)
        for path, operations in document.get("paths", {}).items():
            for name, operation in operations.items():
                if (name in METHODS or name == ANY) and _is_open(operation, document):
                    yield f"{'ANY' if name == ANY else name.upper()} {path}"
    except (ValueError, TypeError, AttributeError, RecursionError):
        # It may be YAML, a secret, or known after apply only.
        yield f"{UNREADABLE} ({UNKNOWN.strip('()')})" if body == UNKNOWN else UNREADABLE


def _is_open(operation: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether neither the operation nor the whole document asks for a scheme; an empty one makes the others optional.

    The document is taken at its word: whether an authorizer, or the program behind, asks for the scheme is not seen.
    https://spec.openapis.org/oas/v3.0.3#operation-object
    """
    if said := operation.get(AUTH, {}).get("type"):
        return bool(said.upper() == "NONE")
    return {} in (operation.get("security", document.get("security")) or [{}])
