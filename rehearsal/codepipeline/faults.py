"""The errors of definitions, as CreatePipeline and UpdatePipeline name them."""

from rehearsal.protocol import ServiceError


def structure(message: str) -> ServiceError:
    """Return the error for a pipeline that does not hold together."""
    return ServiceError("InvalidStructureException", message)


def stage_fault(message: str) -> ServiceError:
    """Return the error for a stage that cannot be."""
    return ServiceError("InvalidStageDeclarationException", message)


def action_fault(message: str) -> ServiceError:
    """Return the error for an action that cannot be."""
    return ServiceError("InvalidActionDeclarationException", message)
