"""Pull requests on Bitbucket Cloud. https://developer.atlassian.com/cloud/bitbucket/rest/"""

import base64
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from delivery.comments.rest import Rest, Token
from delivery.comments.service import Comment, Standing, State, Status

ADDRESS: Final = "https://api.bitbucket.org/2.0"
KEY: Final = 40
"""A build status with a longer key is refused."""

STATES: Final = {State.SUCCESS: "SUCCESSFUL", State.FAILURE: "FAILED"}


class Bitbucket:
    """Pull request ``number`` of ``repository``; the token is an access token, or ``EMAIL:API_TOKEN``.

    https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/
    """

    limit = 32_768
    """Bitbucket Cloud documents none; this is Bitbucket Data Center's."""

    def __init__(self, repository: str, number: str, token: str, address: str = "") -> None:
        self._repository = f"repositories/{repository}"
        self._pull = f"{self._repository}/pullrequests/{number}"
        self._rest = Rest(
            "Bitbucket",
            address or ADDRESS,
            _token(token),
            needs="scopes to read its own user and the repository, and to write pull requests",
        )

    @cached_property
    def _me(self) -> Any:
        """https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/#api-user-get"""
        with self._rest.reading("about the token's user"):
            return self._rest.ask("GET", "user").body["uuid"]

    def hidden(self, text: str) -> str:
        """Bitbucket shows HTML as it is written; the definition of a link that nothing uses shows nothing."""
        return f'[//]: # "{text}"'

    def standing(self) -> Standing:
        """https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/ — its hashes are shortened."""
        with self._rest.reading("about the pull request"):
            pull = self._rest.ask("GET", self._pull).body
            source, here = pull["source"], pull["destination"]["repository"]["uuid"]
            # A fork that was deleted has no repository any more.
            there = (source.get("repository") or {}).get("uuid")
            return Standing(pull["state"] == "OPEN", source["commit"]["hash"], there is None or there != here)

    def comments(self) -> Iterator[Comment]:
        """Comments on lines of a file, and deleted ones, are listed too: they are none of ours."""
        with self._rest.reading("about the comments"):
            for page in self._rest.pages(f"{self._pull}/comments?pagelen=100&sort=created_on"):
                for item in page["values"]:
                    if not item.get("deleted") and not item.get("inline"):
                        author = (item.get("user") or {}).get("uuid")
                        yield Comment(str(item["id"]), item["content"]["raw"] or "", author == self._me)

    def add(self, text: str) -> None:
        """Add a comment."""
        self._rest.ask("POST", f"{self._pull}/comments", {"content": {"raw": text}})

    def replace(self, comment: Comment, text: str) -> None:
        """Give one of our comments another text."""
        self._rest.ask("PUT", f"{self._pull}/comments/{comment.id}", {"content": {"raw": text}})

    def remove(self, comment: Comment) -> None:
        """Remove one of our comments."""
        self._rest.ask("DELETE", f"{self._pull}/comments/{comment.id}")

    def set_status(self, commit: str, status: Status) -> None:
        """https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/"""
        body = {
            "key": status.context[:KEY],
            "name": status.context,
            "state": STATES[status.state],
            "url": status.url,
            "description": status.description,
        }
        self._rest.ask("POST", f"{self._repository}/commit/{commit}/statuses/build", body)


def _token(token: str) -> Token:
    if ":" not in token:
        return Token(f"Bearer {token}", token)
    return Token(f"Basic {base64.b64encode(token.encode()).decode()}", token.partition(":")[2])
