"""One comment for each pull request, whatever happens between one push and the next."""

from delivery.comments.service import Comment, Service, Status
from delivery.progress import say


def publish(service: Service, *, marker: str, text: str, commit: str, status: Status) -> bool:
    """Set the status of ``commit``; let the one comment that carries ``marker`` say ``text``; return whether it does.

    A review of a commit that is no longer the newest leaves the comment alone: the newer one's is there, or comes.
    Raises ``DeliveryError``.
    """
    service.set_status(commit, status)
    if not service.standing().is_at(commit):
        say(f"{commit[:12]} is not what the pull request stands at any more: its comment stays as it is")
        return False
    line = service.hidden(marker)
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
    return True


def _ours(service: Service, line: str) -> list[Comment]:
    """Return our own comments with the marker: anybody can copy that, but nobody can write in our name."""
    return [comment for comment in service.comments() if comment.is_ours and comment.text.startswith(line)]
