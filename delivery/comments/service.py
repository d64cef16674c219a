"""What a service that hosts pull requests has to offer."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """How a review ended."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True)
class Status:
    """What stands beside a commit: ``context`` names whose status it is, ``url`` tells more."""

    context: str
    state: State
    description: str
    url: str


@dataclass(frozen=True)
class Comment:
    """A comment on the pull request as a whole, and whether whoever we are has written it."""

    id: str
    text: str
    is_ours: bool


@dataclass(frozen=True)
class Standing:
    """Where a pull request stands: ``head`` may be the beginning of a commit's hash."""

    is_open: bool
    head: str
    is_fork: bool = False

    def is_at(self, commit: str) -> bool:
        """Tell whether it is open and ``commit`` the newest on its branch."""
        return bool(self.is_open and self.head and commit.startswith(self.head))


class Service(Protocol):
    """One pull request on one service; every method raises ``DeliveryError`` when the service refuses."""

    @property
    def limit(self) -> int:
        """The most bytes that a comment holds."""

    def hidden(self, text: str) -> str:
        """Return ``text`` as a line of a comment that readers do not see."""

    def standing(self) -> Standing:
        """Ask where the pull request stands now, and whether its branch lies in another repository."""

    def comments(self) -> Iterable[Comment]:
        """Yield the comments on the pull request as a whole, oldest first."""

    def add(self, text: str) -> None:
        """Add a comment."""

    def replace(self, comment: Comment, text: str) -> None:
        """Give one of our comments another text."""

    def remove(self, comment: Comment) -> None:
        """Remove one of our comments."""

    def set_status(self, commit: str, status: Status) -> None:
        """Set the status of ``commit``, in place of an earlier one of the same context."""
