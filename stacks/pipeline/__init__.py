"""How the product is delivered: a source, build projects, and the pipeline that runs them."""

from stacks.pipeline.stack import PipelineStack

__all__ = ["PipelineStack"]
