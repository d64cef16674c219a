"""CodeCommit's approval rules: templates of them, the rules that pull requests get, and who has approved what."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from rehearsal.constraints import enforce
from rehearsal.identity import caller_arn
from rehearsal.protocol import Caller, JsonService, ServiceError
from rehearsal.pullrequest import Answer, PullRequest

APPROVE = "APPROVE"
VERSION = "2018-11-08"


@dataclass
class Template:
    """A template, and the repositories whose pull requests get a rule by it."""

    name: str
    content: str
    description: str
    user: str
    repositories: list[str] = field(default_factory=list)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    def describe(self) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_ApprovalRuleTemplate.html"""
        return {
            "approvalRuleTemplateId": self.id,
            "approvalRuleTemplateName": self.name,
            "approvalRuleTemplateDescription": self.description,
            "approvalRuleTemplateContent": self.content,
            "ruleContentSha256": hashlib.sha256(self.content.encode()).hexdigest(),
            "lastModifiedDate": self.modified,
            "creationDate": self.created,
            "lastModifiedUser": self.user,
        }

    def rule(self) -> Answer:
        """Return the rule that a pull request gets: it stays as it is then, whatever becomes of the template."""
        content = {key: value for key, value in json.loads(self.content).items() if key != "DestinationReferences"}
        return {
            "approvalRuleId": str(uuid.uuid4()),
            "approvalRuleName": self.name,
            "approvalRuleContent": json.dumps(content),
            "originApprovalRuleTemplate": {
                "approvalRuleTemplateId": self.id,
                "approvalRuleTemplateName": self.name,
            },
        }


class ApprovalOperations(JsonService):
    """Templates of approval rules, approvals of a pull request's revision, and whether they satisfy its rules.

    https://docs.aws.amazon.com/codecommit/latest/userguide/approval-rule-templates.html
    """

    _pull: Callable[[Caller, str], PullRequest]
    _found: Callable[[Caller, str], Any]

    def __init__(self) -> None:
        super().__init__()
        self._templates: dict[tuple[str, str, str], Template] = {}

    def create_approval_rule_template(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateApprovalRuleTemplate.html"""
        enforce("codecommit", "CreateApprovalRuleTemplate", parameters)
        name, content = parameters["approvalRuleTemplateName"], parameters["approvalRuleTemplateContent"]
        if (caller.account, caller.region, name) in self._templates:
            raise ServiceError("ApprovalRuleTemplateNameAlreadyExistsException", f"there is a template {name} already")
        _check(content)
        made = Template(name, content, parameters.get("approvalRuleTemplateDescription", ""), caller_arn(caller))
        self._templates[caller.account, caller.region, name] = made
        return {"approvalRuleTemplate": made.describe()}

    def get_approval_rule_template(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetApprovalRuleTemplate.html"""
        return {"approvalRuleTemplate": self._template(caller, parameters).describe()}

    def update_approval_rule_template_content(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateApprovalRuleTemplateContent.html"""
        template = self._template(caller, parameters)
        _check(parameters["newRuleContent"])
        template.content, template.modified = parameters["newRuleContent"], datetime.now(UTC)
        return {"approvalRuleTemplate": template.describe()}

    def update_approval_rule_template_description(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateApprovalRuleTemplateDescription.html"""
        template = self._template(caller, parameters)
        template.description, template.modified = parameters["approvalRuleTemplateDescription"], datetime.now(UTC)
        return {"approvalRuleTemplate": template.describe()}

    def delete_approval_rule_template(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteApprovalRuleTemplate.html"""
        template = self._template(caller, parameters)
        if template.repositories:
            message = f"{template.name} is associated with {', '.join(template.repositories)}"
            raise ServiceError("ApprovalRuleTemplateInUseException", message)
        del self._templates[caller.account, caller.region, template.name]
        return {"approvalRuleTemplateId": template.id}

    def associate_approval_rule_template_with_repository(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_AssociateApprovalRuleTemplateWithRepository.html"""
        template, name = self._template(caller, parameters), parameters["repositoryName"]
        self._found(caller, name)
        if name not in template.repositories:
            template.repositories.append(name)
        return {}

    def disassociate_approval_rule_template_from_repository(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DisassociateApprovalRuleTemplateFromRepository.html"""
        template, name = self._template(caller, parameters), parameters["repositoryName"]
        self._found(caller, name)
        if name in template.repositories:
            template.repositories.remove(name)
        return {}

    def list_repositories_for_approval_rule_template(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_ListRepositoriesForApprovalRuleTemplate.html"""
        return {"repositoryNames": list(self._template(caller, parameters).repositories)}

    def update_pull_request_approval_state(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdatePullRequestApprovalState.html"""
        enforce("codecommit", "UpdatePullRequestApprovalState", parameters)
        pull, who = self._pull(caller, parameters["pullRequestId"]), caller_arn(caller)
        if pull.status != "OPEN":
            raise ServiceError("PullRequestAlreadyClosedException", f"pull request {pull.id} is closed")
        _check_revision(pull, parameters)
        if who == pull.author and parameters["approvalState"] == APPROVE:
            raise ServiceError("PullRequestCannotBeApprovedByAuthorException", "nobody approves a change of their own")
        pull.approvals[pull.revision, who] = parameters["approvalState"]
        return {}

    def get_pull_request_approval_states(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetPullRequestApprovalStates.html"""
        pull = self._pull(caller, parameters["pullRequestId"])
        given = {
            who: state for (revision, who), state in pull.approvals.items() if revision == parameters["revisionId"]
        }
        return {"approvals": [{"userArn": who, "approvalState": state} for who, state in given.items()]}

    def evaluate_pull_request_approval_rules(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_EvaluatePullRequestApprovalRules.html"""
        pull = self._pull(caller, parameters["pullRequestId"])
        _check_revision(pull, parameters)
        approved_by = [
            who for (revision, who), state in pull.approvals.items() if (revision, state) == (pull.revision, APPROVE)
        ]
        met = {each["approvalRuleName"]: _is_satisfied(each, approved_by) for each in pull.rules}
        return {
            "evaluation": {
                "approved": all(met.values()),
                "overridden": False,
                "approvalRulesSatisfied": [name for name, is_met in met.items() if is_met],
                "approvalRulesNotSatisfied": [name for name, is_met in met.items() if not is_met],
            }
        }

    def rules_for(self, caller: Caller, repository: str, destination: str) -> list[Answer]:
        """Return the rules that a new pull request gets."""
        mine = [one for key, one in self._templates.items() if key[:2] == (caller.account, caller.region)]
        return [
            one.rule()
            for one in mine
            if repository in one.repositories
            and f"refs/heads/{destination}"
            in json.loads(one.content).get("DestinationReferences", [f"refs/heads/{destination}"])
        ]

    def _template(self, caller: Caller, parameters: Answer) -> Template:
        name = parameters["approvalRuleTemplateName"]
        if (caller.account, caller.region, name) not in self._templates:
            raise ServiceError("ApprovalRuleTemplateDoesNotExistException", f"there is no template {name}")
        return self._templates[caller.account, caller.region, name]


def _check_revision(pull: PullRequest, parameters: Answer) -> None:
    if parameters["revisionId"] != pull.revision:
        raise ServiceError("RevisionNotCurrentException", f"pull request {pull.id} has changed since that revision")


def _check(content: str) -> None:
    """Raise ``ServiceError`` for what is no content of a template, or has a pool that is not of ARNs."""
    try:
        data = json.loads(content)
        statements = data["Statements"]
        known = data["Version"] == VERSION and all(
            each["Type"] == "Approvers" and each["NumberOfApprovalsNeeded"] > 0 for each in statements
        )
    except (ValueError, LookupError, TypeError) as error:
        raise ServiceError("InvalidApprovalRuleTemplateContentException", f"{content!r} cannot be read") from error
    if not known or not statements:
        raise ServiceError("InvalidApprovalRuleTemplateContentException", f"version {VERSION} has approvers, above 0")
    pools = [member for each in statements for member in each.get("ApprovalPoolMembers", [])]
    if strange := [member for member in pools if not member.startswith("arn:")]:
        message = f"the rehearsal knows pools of ARNs only, not {', '.join(strange)}"
        raise ServiceError("InvalidApprovalRuleTemplateContentException", message)


def _is_satisfied(rule: Answer, approved_by: Iterable[str]) -> bool:
    """Without a pool, anybody's approval counts."""
    return all(
        sum(any(fnmatchcase(who, member) for member in each.get("ApprovalPoolMembers", ["*"])) for who in approved_by)
        >= each["NumberOfApprovalsNeeded"]
        for each in json.loads(rule["approvalRuleContent"])["Statements"]
    )
