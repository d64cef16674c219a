"""One record as an in-toto statement with SLSA's provenance: from the commit to what was applied, and who let it.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
https://slsa.dev/spec/v1.0/provenance
"""

from datetime import UTC, datetime
from typing import Any, Final

from delivery.record import Record

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:parley:delivery:plan-and-apply:v1"

Json = dict[str, Any]


def statement(record: Record) -> Json:
    """Return the statement about ``record``'s plan; it is not signed.

    What SLSA has no member for stands in members that begin with ``parley_``, as its rules for extensions have it.
    """
    return {
        "_type": STATEMENT,
        "subject": [{"name": "tfplan", "digest": {"sha256": record.plan_sha256}}],
        "predicateType": PREDICATE,
        "predicate": {"buildDefinition": _definition(record), "runDetails": _details(record)},
    }


def _definition(record: Record) -> Json:
    plan = record.plan
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "environment": record.environment,
            "stack": plan.stack,
            "state": {"lineage": plan.state.lineage, "serial": plan.state.serial},
        },
        "internalParameters": {"risk": plan.risk, "summary": plan.summary, "expiresAt": _timestamp(plan.expires_at)},
        "resolvedDependencies": _dependencies(record),
    }


def _dependencies(record: Record) -> list[Json]:
    """Return what the plan was made from: the commit, what synthesis made of it, and the programs that planned."""
    release = record.plan.release
    commit = [{"name": "source", "digest": {"gitCommit": release.commit}}] if release.commit else []
    built = {"lambda.zip": release.lambda_sha256, "openapi.json": release.openapi_sha256}
    synthesized = {f"{record.plan.stack}/{name}": digest for name, digest in record.plan.files.items()}
    programs = {"terraform": record.plan.terraform_version, **record.plan.providers}
    files = {**built, **synthesized}.items()
    return [
        *commit,
        *({"name": name, "digest": {"sha256": digest}} for name, digest in files if digest),
        *({"name": name, "uri": f"pkg:generic/{name}@{version}"} for name, version in programs.items()),
    ]


def _details(record: Record) -> Json:
    plan, apply = record.plan, record.apply
    metadata = {
        "invocationId": plan.execution,
        "startedOn": _timestamp(record.created_at),
        "finishedOn": _timestamp(apply.ended_at) if apply else "",
    }
    return {
        "builder": {"id": f"urn:parley:pipeline:{plan.pipeline}" if plan.pipeline else "urn:parley:by-hand"},
        "metadata": {name: value for name, value in metadata.items() if value},
        "byproducts": [{"name": "review", "uri": plan.review}] if plan.review else [],
        "parley_result": {"status": str(record.status)} | _result(record),
    }


def _result(record: Record) -> Json:
    apply = record.apply
    if apply is None:
        return {}
    return {
        "appliedBy": apply.by,
        "startedOn": _timestamp(apply.started_at),
        "execution": apply.execution,
        "approvals": [
            {"by": one.by, "at": _timestamp(one.at), "comment": one.comment, "stage": one.stage}
            for one in apply.approvals
        ],
        "said": apply.said,
        "state": {"lineage": apply.state.lineage, "serial": apply.state.serial},
    }


def _timestamp(text: str) -> str:
    """Return a time as statements have it; empty for none.

    https://github.com/in-toto/attestation/blob/main/spec/v1/field_types.md#timestamp
    """
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if text else ""
