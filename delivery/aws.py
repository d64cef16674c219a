"""AWS's APIs, asked only by the commands that need them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from delivery.errors import DeliveryError


def client(service: str, region: str | None = None, **keys: str) -> Any:
    """Return a client of ``service`` with the environment's credentials, or ``keys``; the SDK is imported here."""
    import boto3

    return boto3.client(service, region_name=region, **keys)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn what AWS's SDK raises inside the block into a ``DeliveryError`` that starts with ``what``."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        yield
    except NoCredentialsError as error:
        raise DeliveryError(f"{what}: no AWS credentials; sign in (`aws sso login`) or set AWS_PROFILE") from error
    except NoRegionError as error:
        raise DeliveryError(f"{what}: no AWS region; set AWS_REGION") from error
    except (BotoCoreError, ClientError) as error:
        raise DeliveryError(f"{what}: {' '.join(str(error).split())}") from error


def code(error: Any) -> str:
    """Return the code of an error that AWS answered with."""
    return str(error.response["Error"]["Code"])
