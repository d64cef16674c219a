"""What can go wrong, each with the exit code that tells the caller which kind it was."""


class DeliveryError(Exception):
    """Something outside this program failed; the message is one line saying what, where and what to do next."""

    exit_code = 1


class UsageError(DeliveryError):
    """The command, or the place it was run in, is not what it has to be."""

    exit_code = 2


class PlanRefusedError(DeliveryError):
    """The plan is not the reviewed one, or no longer fits what it was made for."""

    exit_code = 3


class InterruptedRunError(DeliveryError):
    """Someone stopped the run; Terraform was given the time to save its state."""

    exit_code = 130


class TerraformError(DeliveryError):
    """Terraform failed; ``block`` is what it said itself."""

    def __init__(self, message: str, *, block: str) -> None:
        super().__init__(message)
        self.block = block
