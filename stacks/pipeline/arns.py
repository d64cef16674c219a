"""ARNs of what an environment's stack may touch, from the names that its resources have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Arns:
    """ARNs in one partition, account and region."""

    partition: str
    account: str
    region: str

    def of(self, service: str, resource: str) -> str:
        """A resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role(self, name: str) -> str:
        """A role; IAM has no regions."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def apis(self, path: str) -> str:
        """API Gateway's resources, which carry no account.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
        """
        return f"arn:{self.partition}:apigateway:{self.region}::{path}"

    def dashboard(self, name: str) -> str:
        """A dashboard; it belongs to no region.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
        """
        return f"arn:{self.partition}:cloudwatch::{self.account}:dashboard/{name}"

    def bucket(self, name: str) -> str:
        """A bucket; its name alone is unique."""
        return f"arn:{self.partition}:s3:::{name}"
