"""Pull requests on CodeCommit. https://docs.aws.amazon.com/codecommit/latest/APIReference/"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from delivery.aws import asking, client, client_as, code
from delivery.comments.service import Comment, Standing, State, Status
from delivery.progress import say

SESSION: Final = "review"
"""Every session of a role is an approver of its own: all of ours are this one."""

OVERTAKEN: Final = ("RevisionNotCurrentException", "PullRequestAlreadyClosedException")


class CodeCommit:
    """Pull request ``number`` of ``repository``, as whoever the environment's credentials are.

    A review that succeeds approves as ``approver``, the ARN of a role, and one that fails takes that back; without an
    approver neither says so anywhere but in its comment.
    """

    limit = 10_240
    """https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html"""

    def __init__(self, repository: str, number: str, approver: str = "") -> None:
        self._repository, self._number, self._approver = repository, number, approver
        self._codecommit = client("codecommit")
        self._what = f"pull request {number} of {repository}"

    @cached_property
    def _me(self) -> str:
        with asking(self._what):
            return _owner(client("sts").get_caller_identity()["Arn"])

    @cached_property
    def _pull(self) -> Any:
        with asking(self._what):
            return self._codecommit.get_pull_request(pullRequestId=self._number)["pullRequest"]

    @property
    def _target(self) -> Any:
        return self._pull["pullRequestTargets"][0]

    def hidden(self, text: str) -> str:
        """The definition of a link that nothing uses shows nothing, in any Markdown."""
        return f'[//]: # "{text}"'

    def standing(self) -> Standing:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetPullRequest.html — there are no forks."""
        return Standing(self._pull["pullRequestStatus"] == "OPEN", self._target["sourceCommit"])

    def comments(self) -> Iterator[Comment]:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetCommentsForPullRequest.html"""
        with asking(self._what):
            pages = self._codecommit.get_paginator("get_comments_for_pull_request").paginate(
                pullRequestId=self._number, repositoryName=self._repository
            )
            threads = [thread for page in pages for thread in page["commentsForPullRequestData"]]
        items = [item for thread in threads if not thread.get("location") for item in thread["comments"]]
        for item in sorted(items, key=lambda item: item["creationDate"]):
            if not item.get("deleted"):
                is_ours = _owner(item.get("authorArn", "")) == self._me
                yield Comment(item["commentId"], item.get("content", ""), is_ours)

    def add(self, text: str) -> None:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_PostCommentForPullRequest.html"""
        with asking(self._what):
            self._codecommit.post_comment_for_pull_request(
                pullRequestId=self._number,
                repositoryName=self._repository,
                beforeCommitId=self._target["destinationCommit"],
                afterCommitId=self._target["sourceCommit"],
                content=text,
            )

    def replace(self, comment: Comment, text: str) -> None:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateComment.html

        Where it counts every session of a role as an author of its own, a new comment takes the old one's place.
        """
        from botocore.exceptions import ClientError

        with asking(self._what):
            try:
                self._codecommit.update_comment(commentId=comment.id, content=text)
                return
            except ClientError as error:
                if code(error) != "CommentNotCreatedByCallerException":
                    raise
        self.remove(comment)
        self.add(text)

    def remove(self, comment: Comment) -> None:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteCommentContent.html"""
        with asking(self._what):
            self._codecommit.delete_comment_content(commentId=comment.id)

    def set_status(self, commit: str, status: Status) -> None:
        """CodeCommit has no statuses of commits: the comment begins with what one would say, and an approval may too.

        https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdatePullRequestApprovalState.html
        """
        say(f"{commit[:12]}: {status.state}, {status.description}")
        if self._approver and self.standing().is_at(commit):
            self._approve("APPROVE" if status.state is State.SUCCESS else "REVOKE")

    def _approve(self, state: str) -> None:
        """Set our approval of the revision whose commit was reviewed; a later one is approved by its own review."""
        from botocore.exceptions import ClientError

        with asking(self._what):
            codecommit = client_as(self._approver, "codecommit", session=SESSION)
            try:
                codecommit.update_pull_request_approval_state(
                    pullRequestId=self._number, revisionId=self._pull["revisionId"], approvalState=state
                )
            except ClientError as error:
                if code(error) not in OVERTAKEN:
                    raise
                say(f"{self._what} has changed meanwhile: its approval stays as it is")


def _owner(arn: str) -> str:
    """Return whose ``arn`` is: all sessions of a role are one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
    """
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn
