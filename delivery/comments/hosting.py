"""Which service hosts the pull requests, by the names that settings give it."""

from collections.abc import Callable, Mapping
from typing import Final

from delivery.comments import Service
from delivery.comments.bitbucket import Bitbucket
from delivery.comments.codecommit import CodeCommit
from delivery.comments.github import GitHub
from delivery.errors import UsageError

TOKEN: Final = "REVIEW_TOKEN"  # noqa: S105 (the name of a variable)
APPROVER: Final = "APPROVER"
"""The variable that names the role as which a review on CodeCommit approves, where one is to."""

ADDRESSES: Final = {"GitHub": "GITHUB_API_URL", "Bitbucket": "BITBUCKET_API_URL"}
"""Variables that name another address, such as a GitHub Enterprise Server's."""

MAKERS: Final[Mapping[str, Callable[[str, str, str, str], Service]]] = {"GitHub": GitHub, "Bitbucket": Bitbucket}


def service_of(provider: str, repository: str, number: str, environment: Mapping[str, str]) -> Service:
    """Return pull request ``number`` of ``repository``; raises ``UsageError`` without a token where one is needed."""
    if provider == "CodeCommit":
        return CodeCommit(repository, number, environment.get(APPROVER, ""))
    if provider not in MAKERS:
        raise UsageError(f"{provider!r} is not one of {', '.join((*MAKERS, 'CodeCommit'))}")
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise UsageError(f"environment variable {TOKEN} is empty: the secret that settings name has to hold a token")
    return MAKERS[provider](repository, number, token, environment.get(ADDRESSES[provider], ""))
