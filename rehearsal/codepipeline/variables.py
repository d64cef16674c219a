"""Variables: the references in a configuration, resolved when its action starts."""

import re
from collections.abc import Mapping

from rehearsal.codepipeline.model import ActionError, Execution

REFERENCE = re.compile(r"#\{([^{}]*)\}")
VALUE_LIMIT = 1000


def namespaces(execution: Execution) -> dict[str, Mapping[str, str]]:
    """Return every namespace that ``execution`` can refer to by now.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
    """
    reserved = {"codepipeline": {"PipelineExecutionId": execution.id}, "variables": execution.variables}
    return {**execution.namespaces, **reserved}


def resolve(text: str, known: Mapping[str, Mapping[str, str]], *, where: str) -> str:
    """Return ``text`` with every ``#{namespace.variable}`` replaced.

    Raises ``ActionError`` for what cannot be resolved, naming ``where`` it stands, and for results over 1,000
    characters (https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html).
    """

    def value(reference: re.Match[str]) -> str:
        namespace, dot, name = reference[1].partition(".")
        if not dot or namespace not in known or name not in known[namespace]:
            raise ActionError("ConfigurationError", _unresolved(reference[0], namespace, known, where))
        return known[namespace][name]

    resolved = REFERENCE.sub(value, text)
    if len(resolved) > VALUE_LIMIT:
        limit = (
            f"{where} has {len(resolved):,} characters after its variables were resolved, at most {VALUE_LIMIT:,} fit"
        )
        raise ActionError("ConfigurationError", limit)
    return resolved


def _unresolved(reference: str, namespace: str, known: Mapping[str, Mapping[str, str]], where: str) -> str:
    if namespace in known:
        there = ", ".join(sorted(known[namespace])) or "no variable"
        return f"{where} refers to {reference}, which cannot be resolved: namespace {namespace} has {there}"
    return f"{where} refers to {reference}, which cannot be resolved: no earlier action has namespace {namespace!r}"
