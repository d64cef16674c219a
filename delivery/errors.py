"""What can go wrong, each with the exit code that tells the caller which kind it was."""

from enum import Enum
from typing import Final

COMMAND: Final = ".venv/bin/python -m delivery"
"""This program, as a person types it in the project's folder: what a message names has to work there."""


class DeliveryError(Exception):
    """Something outside this program failed; the message is one line saying what, where and what to do next."""

    exit_code = 1


class UsageError(DeliveryError):
    """The command, or the place it was run in, is not what it has to be."""

    exit_code = 2


class Refusal(Enum):
    """Why a plan is not applied: the exit code, and what it means."""

    ALTERED = 10, "the plan is not the one whose digest was handed on"
    UNRECORDED = 11, "the ledger does not know the plan, or knows something else of it"
    STACK = 12, "it was made for another stack"
    ENVIRONMENT = 13, "it was made for another environment"
    COMMIT = 14, "it was made from another commit"
    TERRAFORM = 15, "another version of Terraform made it"
    PROVIDER = 16, "it was made with other providers (.terraform.lock.hcl)"
    FILES = 17, "it was made from another configuration (cdk.tf.json), or with other assets"
    EXPIRED = 18, "it has expired"
    SUPERSEDED = 19, "a newer execution has planned the environment since"
    STALE = 20, "its state has changed since"
    NOT_EMPTY = 21, "it was made when there was no state, and now there is one"
    USED = 22, "it was applied, or refused for good, before"
    OPEN = 23, "it is being applied, or that broke off"

    def __init__(self, code: int, meaning: str) -> None:
        self.code, self.meaning = code, meaning


class PlanRefusedError(DeliveryError):
    """The plan is not the reviewed one, or no longer fits what it was made for; nothing was applied."""

    def __init__(self, refusal: Refusal, what: str, then: str = "") -> None:
        super().__init__(f"{what}; nothing was applied{f'. {then}' if then else ''}")
        self.refusal = refusal
        self.exit_code = refusal.code


class InterruptedRunError(DeliveryError):
    """Someone stopped the run; Terraform was given the time to save its state."""

    exit_code = 130


class TerraformError(DeliveryError):
    """Terraform failed; ``block`` is what it said itself."""

    def __init__(self, message: str, *, block: str) -> None:
        super().__init__(message)
        self.block = block
