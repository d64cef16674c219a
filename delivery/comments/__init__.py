"""Comments on pull requests: one for each pull request, brought up to date in place, and a status beside it."""

from delivery.comments.publishing import publish as publish
from delivery.comments.service import Comment as Comment
from delivery.comments.service import Service as Service
from delivery.comments.service import Standing as Standing
from delivery.comments.service import State as State
from delivery.comments.service import Status as Status
