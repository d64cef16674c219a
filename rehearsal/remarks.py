"""The comments on CodeCommit's pull requests."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rehearsal.identity import caller_arn
from rehearsal.protocol import Caller, JsonService, ServiceError
from rehearsal.pullrequest import Answer, PullRequest, Remark

COMMENT_CHARACTERS = 10_240
"""https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html"""


class CommentOperations(JsonService):
    """Commenting on pull requests as a whole."""

    _pull: Callable[[Caller, str], PullRequest]
    _pulls_of: Callable[[Caller], list[PullRequest]]

    def __init__(self) -> None:
        super().__init__()
        self._remarks_lock = threading.Lock()

    def post_comment_for_pull_request(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_PostCommentForPullRequest.html"""
        pull = self._pull(caller, parameters["pullRequestId"])
        if parameters.get("location"):
            raise ServiceError("InvalidFilePositionException", "the rehearsal takes no comments on lines of a file")
        content, token = _content(parameters), parameters.get("clientRequestToken", "")
        with self._remarks_lock:
            remark = next((each for each in pull.remarks if token and each.token == token), None)
            if remark is not None and remark.content != content:
                raise ServiceError("IdempotencyParameterMismatchException", "the token came with another comment")
            if remark is None:
                after = parameters["afterCommitId"]
                remark = Remark(caller_arn(caller), content, parameters["beforeCommitId"], after, token)
                pull.remarks.append(remark)
        return {"pullRequestId": pull.id, "repositoryName": pull.repository, "comment": remark.describe()}

    def get_comments_for_pull_request(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetCommentsForPullRequest.html"""
        pull = self._pull(caller, parameters["pullRequestId"])
        start, most = int(parameters.get("nextToken", "0")), parameters.get("maxResults", 100)
        shown = [
            {
                "pullRequestId": pull.id,
                "repositoryName": pull.repository,
                "beforeCommitId": each.before,
                "afterCommitId": each.after,
                "comments": [each.describe()],
            }
            for each in pull.remarks[start : start + most]
        ]
        more = {"nextToken": str(start + most)} if len(pull.remarks) > start + most else {}
        return {"commentsForPullRequestData": shown} | more

    def update_comment(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateComment.html

        Who the author is for this, where a role has several sessions, is not documented: here they are several.
        """
        remark = self._remark(caller, parameters["commentId"])
        if remark.author != caller_arn(caller):
            raise ServiceError("CommentNotCreatedByCallerException", "only its author can modify a comment")
        remark.content, remark.modified = _content(parameters), datetime.now(UTC)
        return {"comment": remark.describe()}

    def delete_comment_content(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteCommentContent.html"""
        remark = self._remark(caller, parameters["commentId"])
        remark.deleted = True
        return {"comment": remark.describe()}

    def _remark(self, caller: Caller, name: str) -> Remark:
        found = [each for pull in self._pulls_of(caller) for each in pull.remarks if each.id == name]
        if not found:
            raise ServiceError("CommentDoesNotExistException", f"there is no comment {name}")
        if found[0].deleted:
            raise ServiceError("CommentDeletedException", "this comment has already been deleted")
        return found[0]


def _content(parameters: Answer) -> str:
    content = str(parameters["content"])
    if not content:
        raise ServiceError("CommentContentRequiredException", "the comment is empty")
    if len(content) > COMMENT_CHARACTERS:
        message = f"The comment is too large. Comments are limited to {COMMENT_CHARACTERS:,} characters."
        raise ServiceError("CommentContentSizeLimitExceededException", message)
    return content
