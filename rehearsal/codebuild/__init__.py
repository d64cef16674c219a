"""CodeBuild, executed: projects are stored and their builds run on this machine."""

from rehearsal.codebuild.model import BuildRequest, BuildResult, Status
from rehearsal.codebuild.service import CodeBuild

__all__ = ["BuildRequest", "BuildResult", "CodeBuild", "Status"]
