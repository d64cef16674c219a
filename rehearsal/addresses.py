"""The addresses of what was deployed: stages of REST APIs, found through API Gateway's own API."""

from collections.abc import Iterator, Sequence
from typing import Any


def addresses(client: Any, *, endpoint: str, tag: str, order: Sequence[str] = ()) -> dict[str, str]:
    """Return label to URL for every stage of every REST API that carries ``tag``, whose value is the label.

    Labels in ``order`` come first, the others by name.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html
    """
    found: dict[str, str] = {}
    for api in _apis(client):
        for stage in client.get_stages(restApiId=api["id"])["item"]:
            label = api.get("tags", {}).get(tag) or stage.get("tags", {}).get(tag)
            if label:
                name = label if label not in found else f"{label} ({api['name']}, {stage['stageName']})"
                found[name] = f"{endpoint}/execute-api/{api['id']}/{stage['stageName']}/"
    return {label: found[label] for label in (*order, *sorted(found)) if label in found}


def _apis(client: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("get_rest_apis").paginate():
        yield from page["items"]
