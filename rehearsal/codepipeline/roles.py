"""Clients of other services with the credentials of a role that CodePipeline assumes."""

import threading
from typing import Any

from rehearsal.cloud import Cloud


class Roles:
    """Assumes roles, each once: what an action does in the account, it does as its role."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, role_arn: str, region: str) -> Any:
        """Return a boto3 client of ``service``. Raises botocore's ``ClientError`` for a role that cannot be assumed."""
        with self._lock:
            if (service, role_arn, region) not in self._clients:
                sts = self._cloud.client("sts")
                keys = sts.assume_role(RoleArn=role_arn, RoleSessionName="codepipeline")["Credentials"]
                self._clients[service, role_arn, region] = self._cloud.client(
                    service,
                    region=region,
                    aws_access_key_id=keys["AccessKeyId"],
                    aws_secret_access_key=keys["SecretAccessKey"],
                    aws_session_token=keys["SessionToken"],
                )
            return self._clients[service, role_arn, region]
