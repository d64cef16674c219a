"""CodePipeline, executed: pipelines are stored, triggered and run on this machine."""

from rehearsal.codepipeline.service import CodePipeline

__all__ = ["CodePipeline"]
