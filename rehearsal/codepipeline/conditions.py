"""Stage conditions: rules that decide whether a stage is entered, skipped or failed."""

import re
from collections.abc import Callable, Mapping

from rehearsal.codepipeline.model import ActionError, ConditionRun, Declaration, RuleRun
from rehearsal.codepipeline.variables import resolve


def evaluate(condition: Declaration, known: Mapping[str, Mapping[str, str]]) -> ConditionRun:
    """Return what every rule of ``condition`` says; the condition holds only if all of them do.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
    """
    runs = [_check(rule, known) for rule in condition.get("rules", [])]
    errors = [run for run in runs if run.status == "Errored"]
    failures = [run for run in runs if run.status == "Failed"]
    for run in errors:
        run.status = "Failed"  # a rule has no status of its own for it, only its condition has
    status = "Errored" if errors else "Failed" if failures else "Succeeded"
    return ConditionRun(status, "; ".join(run.summary for run in errors or failures), runs)


def _check(rule: Declaration, known: Mapping[str, Mapping[str, str]]) -> RuleRun:
    name, configuration = rule["name"], rule["configuration"]
    try:
        actual, expected = (
            resolve(configuration[key], known, where=f"{key} of rule {name}") for key in ("Variable", "Value")
        )
        holds = OPERATIONS[configuration["Operator"]](actual, expected)
    except (ActionError, re.error) as error:
        return RuleRun(name, "Errored", error.message if isinstance(error, ActionError) else f"rule {name}: {error}")
    compared = f"{actual!r} {configuration['Operator']} {expected!r}"
    return RuleRun(name, "Succeeded" if holds else "Failed", f"{compared} is {'true' if holds else 'false'}")


# Java's Matcher.matches wants the whole text: https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
OPERATIONS: dict[str, Callable[[str, str], bool]] = {
    "EQ": lambda actual, expected: actual == expected,
    "NE": lambda actual, expected: actual != expected,
    "CONTAINS": lambda actual, expected: expected in actual,
    "MATCHES": lambda actual, expected: bool(re.fullmatch(expected, actual)),
}
