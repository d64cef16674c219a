"""Pull requests on GitHub. https://docs.github.com/en/rest"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from delivery.comments.rest import Rest, Token
from delivery.comments.service import Comment, Standing, Status

ADDRESS: Final = "https://api.github.com"
DESCRIPTION: Final = 140
"""https://docs.github.com/en/rest/commits/statuses"""


class GitHub:
    """Pull request ``number`` of ``repository``, with a personal access token of whoever is to comment."""

    limit = 65_536
    """What it answers 422 beyond, counted in characters; bytes are at least as many."""

    def __init__(self, repository: str, number: str, token: str, address: str = "") -> None:
        self._repository, self._number = f"repos/{repository}", number
        self._rest = Rest(
            "GitHub",
            address or ADDRESS,
            Token(f"Bearer {token}", token),
            needs="to be a personal one, with the permissions “Pull requests” and “Commit statuses” to write",
            headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        )

    @cached_property
    def _me(self) -> Any:
        """https://docs.github.com/en/rest/users/users#get-the-authenticated-user"""
        with self._rest.reading("about the token's user"):
            return self._rest.ask("GET", "user").body["id"]

    def hidden(self, text: str) -> str:
        """GitHub keeps HTML's comments to itself."""
        return f"<!-- {text} -->"

    def standing(self) -> Standing:
        """https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request — a fork that was deleted is ``null``."""
        with self._rest.reading("about the pull request"):
            pull = self._rest.ask("GET", f"{self._repository}/pulls/{self._number}").body
            there, here = (pull["head"]["repo"] or {}).get("id"), pull["base"]["repo"]["id"]
            return Standing(pull["state"] == "open", pull["head"]["sha"], there is None or there != here)

    def comments(self) -> Iterator[Comment]:
        """https://docs.github.com/en/rest/issues/comments#list-issue-comments"""
        with self._rest.reading("about the comments"):
            for page in self._rest.pages(f"{self._repository}/issues/{self._number}/comments?per_page=100"):
                for item in page:
                    author = item["user"]["id"] if item.get("user") else None
                    yield Comment(str(item["id"]), item.get("body") or "", author == self._me)

    def add(self, text: str) -> None:
        """https://docs.github.com/en/rest/issues/comments#create-an-issue-comment"""
        self._rest.ask("POST", f"{self._repository}/issues/{self._number}/comments", {"body": text})

    def replace(self, comment: Comment, text: str) -> None:
        """https://docs.github.com/en/rest/issues/comments#update-an-issue-comment"""
        self._rest.ask("PATCH", f"{self._repository}/issues/comments/{comment.id}", {"body": text})

    def remove(self, comment: Comment) -> None:
        """https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment"""
        self._rest.ask("DELETE", f"{self._repository}/issues/comments/{comment.id}")

    def set_status(self, commit: str, status: Status) -> None:
        """https://docs.github.com/en/rest/commits/statuses#create-a-commit-status"""
        description = status.description
        if len(description) > DESCRIPTION:
            description = f"{description[: DESCRIPTION - 1]}…"
        body = {"state": str(status.state), "context": status.context, "target_url": status.url}
        self._rest.ask("POST", f"{self._repository}/statuses/{commit}", body | {"description": description})
