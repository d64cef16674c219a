"""Review: whose pull requests are planned, and where the token lies that comments on them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks.project import Project

# https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html (ACTOR_ACCOUNT_ID)
ACTORS = {"GitHub": re.compile(r"\d{1,19}"), "Bitbucket": re.compile(r"[\w:{}-]{8,128}")}
EXAMPLES = {"GitHub": "'583231', as https://api.github.com/users/NAME tells it", "Bitbucket": "the account's id"}
SECRET = re.compile(r"arn:[\w-]+:secretsmanager:([a-z0-9-]+):\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}")


@dataclass(frozen=True, kw_only=True)
class Review:
    """Pull requests are planned against every environment, and commented on.

    Switch it on when the connection is authorised: a pending one can have no webhook. CodeCommit needs neither actors,
    since IAM decides who opens pull requests there, nor a token.
    """

    allowed_actors: tuple[str, ...] = ()
    """The ids of those whose pull requests are planned. Planning runs their code, under a role that reads only."""
    allow_forks: bool = False
    """Whether theirs from forks are planned too. If not, an administrator's comment alone can have one planned, and
    what comes of it is not shown."""
    approval_rule: bool = False
    """CodeCommit, which has no statuses of commits: pull requests need an approval that the review alone can give, and
    gives when it could plan everything. It counts for rules of yours that name no approval pool, too."""
    token_secret_arn: str | None = None
    """The secret that holds the token of whoever is to comment."""

    def problem(self, project: "Project") -> str | None:
        """What is wrong with it in ``project``, if anything is."""
        provider = str(project.source.provider)
        if provider == "CodeCommit":
            if self.allowed_actors or self.token_secret_arn:
                return "review: CodeCommit takes neither allowed_actors nor token_secret_arn; write Review()"
            return "review: CodeCommit has no forks; remove allow_forks" if self.allow_forks else None
        if self.approval_rule:
            return f"review: approval_rule is CodeCommit's; a commit on {provider} has a status: remove it"
        if provider not in ACTORS:
            return f"review: pull requests of {provider} are not reviewed; remove it"
        if not self.allowed_actors:
            return (
                f"review: allowed_actors is empty; whose pull requests are planned? Ids, such as {EXAMPLES[provider]}"
            )
        for actor in self.allowed_actors:
            if not ACTORS[provider].fullmatch(actor):
                return f"review: {actor!r} is no id of a {provider} account; write one such as {EXAMPLES[provider]}"
        found = SECRET.fullmatch(self.token_secret_arn or "")
        if not found:
            return (
                f"review: token_secret_arn {self.token_secret_arn!r} is no secret's ARN, whole with its last 6 letters"
            )
        if found[1] != project.region:
            return f"review: the secret lies in {found[1]}; CodeBuild reads it in {project.region} only"
        return None

    @property
    def actors_pattern(self) -> str:
        """A pattern that is one of the actors from its first letter to its last: half a match lets strangers in."""
        return f"^({'|'.join(map(re.escape, self.allowed_actors))})$"
