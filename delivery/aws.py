"""AWS's APIs, asked only by the commands that need them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from delivery.errors import DeliveryError, UsageError

SIGN_IN: Final = (
    "sign in (`aws sso login`) or set AWS_PROFILE; while a rehearsal serves, "
    '`eval "$(.venv/bin/python -m rehearsal env)"` lets this shell live in it'
)
"""What to do where AWS knows nobody."""


def client(service: str, region: str | None = None, **keys: str) -> Any:
    """Return a client of ``service`` with the environment's credentials, or ``keys``; the SDK is imported here.

    Raises ``DeliveryError`` where the environment names no usable endpoint, beside what ``asking`` is for.
    """
    import boto3

    try:
        # Python's SDK alone reads AWS_DEFAULT_REGION only: https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
        return boto3.client(service, region_name=region or os.environ.get("AWS_REGION") or None, **keys)
    except ValueError as error:
        raise DeliveryError(f"AWS's SDK cannot be set up: {error}; see AWS_ENDPOINT_URL and ~/.aws/config") from error


def client_as(role: str, service: str, region: str | None = None, *, session: str) -> Any:
    """Return a client of ``service`` that acts as ``role`` (an ARN) in a session of that name; as ever without one."""
    if not role:
        return client(service, region)
    given = client("sts", region).assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return client(
        service,
        region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


@contextmanager
def asking(what: str, *, state: bool = False) -> Iterator[None]:
    """Turn what AWS's SDK raises inside the block into a ``DeliveryError`` that starts with ``what``.

    It is a ``UsageError`` where ``state`` is asked for, and the bucket is missing that bootstrap makes.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        yield
    except NoCredentialsError as error:
        raise DeliveryError(f"{what}: no AWS credentials; {SIGN_IN}") from error
    except NoRegionError as error:
        raise DeliveryError(f"{what}: no AWS region; set AWS_REGION") from error
    except ClientError as error:
        if code(error) == "NoSuchBucket" and state:
            raise UsageError(f"{what}: there is no such bucket; run `python -m delivery bootstrap` first") from error
        raise DeliveryError(f"{what}: {' '.join(str(error).split())}") from error
    except BotoCoreError as error:
        raise DeliveryError(f"{what}: {' '.join(str(error).split())}") from error


def code(error: Any) -> str:
    """Return the code of an error that AWS answered with."""
    return str(error.response["Error"]["Code"])
