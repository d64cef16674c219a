"""Stage conditions, checked: results and rules that can be, and those that are not emulated."""

from rehearsal.codepipeline.catalog import CONDITION_RESULTS, NO_ROLLBACK, OPERATORS, RULE_TYPES
from rehearsal.codepipeline.faults import stage_fault
from rehearsal.codepipeline.model import Declaration
from rehearsal.codepipeline.variables import REFERENCE


def check_conditions(stage: Declaration) -> None:
    """Raise ``ServiceError`` for conditions of ``stage`` that cannot be.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
    """
    for place, results in CONDITION_RESULTS.items():
        declared = stage.get(place, {})
        if declared.get("conditions") and declared.get("retryConfiguration"):
            raise stage_fault(f"Stage {stage['name']}: {place} has both conditions and retryConfiguration")
        if declared.get("result") == "ROLLBACK":
            raise stage_fault(f"stage {stage['name']}: {NO_ROLLBACK}")
        if declared.get("result") and (place != "onFailure" or declared["result"] not in ("RETRY", "FAIL")):
            raise stage_fault(
                f"stage {stage['name']}: the rehearsal does not emulate {place} result {declared['result']}"
            )
        for condition in declared.get("conditions", []):
            result = condition.get("result", "FAIL")
            if results.get(result):
                raise stage_fault(f"stage {stage['name']}: {NO_ROLLBACK}")
            if result not in results:
                raise stage_fault(f"Stage {stage['name']}: {result} is no possible result of {place}")
            for rule in condition.get("rules", []):
                _check_rule(stage["name"], rule)


def _check_rule(stage: str, rule: Declaration) -> None:
    provider, configuration = rule["ruleTypeId"]["provider"], rule.get("configuration", {})
    if provider not in RULE_TYPES:
        raise stage_fault(f"stage {stage}, rule {rule['name']}: the rehearsal does not emulate rule type {provider}")
    if set(configuration) != {"Operator", "Variable", "Value"}:
        raise stage_fault(f"Stage {stage}, rule {rule['name']}: VariableCheck wants Operator, Variable and Value")
    if configuration["Operator"] not in OPERATORS:
        raise stage_fault(f"Stage {stage}, rule {rule['name']}: Operator must be one of {', '.join(sorted(OPERATORS))}")
    if not REFERENCE.search(configuration["Variable"]):
        raise stage_fault(f"Stage {stage}, rule {rule['name']}: Variable must refer to one, as #{{namespace.variable}}")
