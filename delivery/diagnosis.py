"""What Terraform's errors mean here, and what to do about each."""

import re
from collections.abc import Callable

from delivery.aws import SIGN_IN
from delivery.errors import COMMAND

Advice = Callable[[str, str], str]


def diagnose(stack: str, error: str) -> str:
    """Return what to do about ``error`` (Terraform's own words), in one line."""
    for pattern, advice in ADVICE:
        if re.search(pattern, error):
            return advice(stack, error)
    return "the block above is Terraform's own; mend its cause and run the same command again"


def is_stale(error: str) -> bool:
    """Tell whether Terraform refused a saved plan because the state has moved on since."""
    return re.search(r"Saved plan is stale|Saved plan does not match the given state", error) is not None


def _locked(stack: str, error: str) -> str:
    found = dict(re.findall(r"^[│\s]*(ID|Who|Created):\s+(\S.*)$", error, re.MULTILINE))
    return (
        f"its state is locked by {found.get('Who', 'someone')} since {found.get('Created', 'an unknown time')}: wait "
        "until that run ends and try again; only if it is surely dead, free it with: "
        f"{COMMAND} terraform {stack} -- force-unlock {found.get('ID', 'LOCK_ID')}"
    )


ADVICE: tuple[tuple[str, Advice], ...] = (
    (
        r"Error acquiring the state lock[\s\S]*ResourceNotFoundException",
        lambda _stack, _error: f"there is no lock table yet: run `{COMMAND} bootstrap` first",
    ),
    (r"Error acquiring the state lock[\s\S]*Lock Info:", _locked),
    (
        r"No valid credential sources|ExpiredToken|InvalidClientTokenId|security token .* is invalid",
        lambda _stack, _error: f"AWS takes no credentials from here; {SIGN_IN}",
    ),
    (
        r"S3 bucket .* does not exist|NoSuchBucket",
        lambda _stack, _error: f"there is no state bucket yet: run `{COMMAND} bootstrap` first",
    ),
    (
        r"checksums (previously )?recorded in the dependency lock file|checksum mismatch",
        lambda _stack, _error: "the provider at hand is not the locked one: see .terraform.lock.hcl beside the stack",
    ),
    (
        r"Failed to query available provider packages|Failed to install provider|could not connect to registry",
        lambda _stack, _error: (
            "the AWS provider is neither in a mirror nor can it be fetched: check the network, or unpack it below "
            "~/.terraform.d/plugins"
        ),
    ),
    (
        r"AccessDenied|UnauthorizedOperation|not authorized to perform",
        lambda _stack, _error: "the role in use lacks a permission named above",
    ),
)
