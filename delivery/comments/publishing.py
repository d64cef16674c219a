"""One comment for each pull request, whatever happens between one push and the next."""

from delivery.comments.service import Comment, Service, Status
from delivery.progress import say


def publish(service: Service, *, marker: str, text: str, commit: str, status: Status) -> bool:
    """Let the one comment with ``marker`` say ``text``, then set the status of ``commit``; return whether the one does.

    A review of a commit that is no longer the newest leaves the comment alone: the newer one's is there, or comes.
    Raises ``DeliveryError``.
    """
    is_newest = service.standing().is_at(commit)
    if is_newest:
        _show(service, service.hidden(marker), text)
    else:
        say(f"{commit[:12]} is not what the pull request stands at any more: its comment stays as it is")
    # Last, and not where it failed: what nobody could read is not approved.
    service.set_status(commit, status)
    return is_newest


def _show(service: Service, line: str, text: str) -> None:
    """Let our one comment that begins with ``line`` say ``text``."""
    body = f"{line}\n\n{text}"
    found = _ours(service, line)
    if not found:
        service.add(body)
        # Another build may have done so at the same time; both then agree on the oldest.
        found = _ours(service, line)
    for comment in found[:1]:
        if comment.text.replace("\r\n", "\n").strip() != body.strip():
            service.replace(comment, body)
    for comment in found[1:]:
        service.remove(comment)


def _ours(service: Service, line: str) -> list[Comment]:
    """Return our own comments with the marker: anybody can copy that, but nobody can write in our name."""
    return [comment for comment in service.comments() if comment.is_ours and comment.text.startswith(line)]
