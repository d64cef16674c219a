"""Drift: what is no longer as it was released, told once, with who changed it, and told again when it is over."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from delivery.attributes import UNKNOWN
from delivery.aws import asking, client, code
from delivery.changes import Change, address_of, read_plan
from delivery.deployed import fetch, place
from delivery.plan import make_plan
from delivery.progress import say
from delivery.project import Project
from delivery.state import Backend
from delivery.terraform import Terraform
from delivery.trail import Trail

Json = dict[str, Any]

FILE: Final = "drift.json"
METRIC: Final = "DriftedResources"
SUBJECT_CHARACTERS: Final = 100
"""https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

MESSAGE_BYTES: Final = 240_000
NOBODY: Final = "never"


@dataclass(frozen=True)
class Drift:
    """What moved, as lines for a person, and a digest that is the same as long as it has not moved on."""

    lines: list[str] = field(default_factory=list)
    resources: int = 0
    fingerprint: str = ""


@dataclass(frozen=True)
class Told:
    """What was told last: an empty fingerprint says that all is as released."""

    fingerprint: str
    since: str
    lines: list[str] = field(default_factory=list)


def check_drift(
    project: Project, name: str, *, topic: str, namespace: str, environment: Mapping[str, str] = os.environ
) -> Drift:
    """Compare what stack ``name`` last released with what is there; tell ``topic`` what is new; return what was found.

    The same drift is told once. Puts a metric into ``namespace``. Raises ``DeliveryError``.
    """
    backend = Backend.of(project.stack(name))
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        found = _look(project, name, backend, Path(folder), environment)
    if isinstance(found, str):
        say(f"{name}: {found}")
        return Drift()
    before = _told(backend, name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if found.fingerprint == before.fingerprint:
        say(f"{name}: {f'drifted as told at {before.since}' if found.resources else 'as released'}")
    else:
        _tell(topic, name, found, before)
        _remember(backend, name, Told(found.fingerprint, now, found.lines))
    with asking(f"the metric of {name} cannot be put"):
        client("cloudwatch").put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": METRIC,
                    "Dimensions": [{"Name": "Stack", "Value": name}],
                    "Value": found.resources,
                    "Unit": "Count",
                }
            ],
        )
    return found


def _look(project: Project, name: str, backend: Backend, folder: Path, environment: Mapping[str, str]) -> Drift | str:
    """Return what drifted, or why that cannot be told now."""
    deployed = fetch(name, backend, folder)
    if deployed is None:
        return "nothing was released by the pipeline yet, so nothing can have drifted"
    make_plan(Project(folder), Terraform.of(project, environment), deployed.stack, folder / "plan")
    if not deployed.is_newest():
        # The plan waited for the lock that a release held, and compares with the one before.
        return "a release came in between: the next look tells"
    plan: Json = json.loads((folder / "plan" / "plan.json").read_text())
    return read_drift(plan, Trail.of(deployed.stack, deployed.at, environment))


def read_drift(plan: Json, trail: "Trail | None" = None) -> Drift:
    """Return what ``plan``, made of what is deployed, finds changed: outside of Terraform, or left undone by it."""
    planned = read_plan(plan)
    moved = {change.address: change for change in planned.drift}
    undone = {one.address: one for one in planned.changes if one.address not in moved and not _follows(one)}
    if not moved and not undone:
        return Drift()
    lines: list[str] = []
    raw = {address_of(item): item["change"] for item in plan.get("resource_drift", [])}
    for change in moved.values():
        lines += [_headline(change), *(f"  {difference}" for difference in change.differences)]
        lines += [f"  {line}" for line in trail.of_resource(raw[change.address])] if trail else []
    for change in undone.values():
        lines.append(
            f"{change.address}: not as released, and not known to have been changed; a release would {change.kind} it"
        )
    digest = [[change.address, change.kind, [str(one) for one in change.differences]] for change in moved.values()]
    digest += [[change.address, change.kind] for change in undone.values()]
    fingerprint = hashlib.sha256(json.dumps(sorted(digest)).encode()).hexdigest()
    return Drift(lines, len(moved) + len(undone), fingerprint)


def _follows(change: Change) -> bool:
    """Tell whether a change is but the consequence of another, such as an alias that follows its function's version."""
    return change.kind == "update" and all(difference.after == UNKNOWN for difference in change.differences)


def _headline(change: Change) -> str:
    words = {"delete": "was deleted", "update": "was changed", "replace": "was replaced", "create": "appeared"}
    return f"{change.address} {words.get(change.kind, change.kind)}"


def _tell(topic: str, name: str, found: Drift, before: Told) -> None:
    if not found.resources:
        subject = f"{name}: drift is over"
        body = [f"{name} is as it was released again. What had moved since {before.since}:", "", *before.lines]
    else:
        subject = f"{name}: {found.resources} {'resource has' if found.resources == 1 else 'resources have'} drifted"
        body = [
            f"{name} is no longer as it was released:",
            "",
            *found.lines,
            "",
            "The next release that touches these resources changes them back: put into the code what is to stay.",
        ]
    text = "\n".join(body).encode()
    if len(text) > MESSAGE_BYTES:
        text = text[:MESSAGE_BYTES] + b"\n... cut: the build's log has all of it"
    say("\n".join(body))
    with asking(f"drift of {name} cannot be told"):
        client("sns", topic.split(":")[3]).publish(
            TopicArn=topic, Subject=subject[:SUBJECT_CHARACTERS], Message=text.decode(errors="ignore")
        )


def _told(backend: Backend, name: str) -> Told:
    from botocore.exceptions import ClientError

    with asking(f"what was told of {name} cannot be read"):
        try:
            answer = client("s3", backend.region).get_object(Bucket=backend.bucket, Key=place(backend, FILE))
        except ClientError as error:
            if code(error) in ("NoSuchKey", "404"):
                return Told("", NOBODY)
            raise
        return Told(**json.loads(answer["Body"].read()))


def _remember(backend: Backend, name: str, told: Told) -> None:
    with asking(f"what was told of {name} cannot be kept"):
        client("s3", backend.region).put_object(
            Bucket=backend.bucket,
            Key=place(backend, FILE),
            Body=json.dumps(asdict(told), indent=1),
            ContentType="application/json",
        )
