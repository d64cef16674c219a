"""CodeBuild, executed: projects are stored and their builds run on this machine."""

from rehearsal.codebuild.model import BuildRequest, BuildResult, Status
from rehearsal.codebuild.service import CodeBuild
from rehearsal.codebuild.webhooks import PullRequestEvent

__all__ = ["BuildRequest", "BuildResult", "CodeBuild", "PullRequestEvent", "Status"]
