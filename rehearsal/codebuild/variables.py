"""A build's variables and credentials, resolved through the cloud as its service role would."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto.backends import get_backend

from rehearsal.cloud import Cloud
from rehearsal.codebuild.buildspec import Buildspec
from rehearsal.codebuild.record import BuildRecord, PhaseError
from rehearsal.identity import trusts
from rehearsal.protocol import ServiceError, service_model

CODEBUILD = "codebuild.amazonaws.com"
SESSION_SECONDS = 3600
DOWNLOADING = "DECRYPTION_ERROR"


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of a service role."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def environment(self) -> dict[str, str]:
        """Return them as AWS's SDKs read them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


def assume(build: BuildRecord) -> Credentials:
    """Return a session of the project's service role; raises ``PhaseError`` when it does not trust CodeBuild.

    https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
    """
    role = build.project["serviceRole"]
    if not trusts(role, CODEBUILD, source_arn=build.project["arn"]):
        message = (
            f"service role {role} does not exist or its trust policy does not let {CODEBUILD} assume it, name it there"
        )
        raise PhaseError("ACCESS_DENIED", message)
    session = get_backend("sts")[build.account]["aws"].assume_role(
        region_name=build.region,
        role_session_name=f"AWSCodeBuild-{build.uuid}",
        role_arn=role,
        policy="",
        duration=SESSION_SECONDS,
        external_id="",
    )
    return Credentials(session.access_key_id, session.secret_access_key, session.session_token)


def check_variables(variables: list[dict[str, str]]) -> None:
    """Raise ``ServiceError`` for a variable that is not of the API's shape, as a pipeline's own JSON may hold.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_EnvironmentVariable.html
    """
    shape = service_model("codebuild").shape_for("EnvironmentVariables")
    report = ParamValidator().validate(variables, shape)
    kinds = ("PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER")
    problem = report.generate_report() if report.has_errors() else ""
    wrong = [] if problem else [each["name"] for each in variables if each.get("type", kinds[0]) not in kinds]
    if problem or wrong:
        message = problem or f"{wrong[0]}: type must be one of {', '.join(kinds)}"
        raise ServiceError("InvalidInputException", f"environment variables: {' '.join(message.split())}")


def declared_in(spec: Buildspec) -> list[dict[str, str]]:
    """Return the buildspec's variables as a project's are written."""
    kinds = {
        "PLAINTEXT": spec.variables,
        "PARAMETER_STORE": spec.parameter_store,
        "SECRETS_MANAGER": spec.secrets_manager,
    }
    return [{"name": name, "value": each[name], "type": kind} for kind, each in kinds.items() for name in each]


class Resolver:
    """Reads the parameters and secrets that a build's variables name, with the build's own ``credentials``."""

    def __init__(self, cloud: Cloud, region: str, credentials: Credentials) -> None:
        keys = {name.lower(): value for name, value in credentials.environment().items()}
        self._clients: dict[str, Any] = {}
        self._cloud, self._region, self._keys = cloud, region, keys
        self.secrets: set[str] = set()
        """Every value that was read, not to be shown."""

    def client(self, service: str) -> Any:
        """Return a client of ``service`` with the build's credentials."""
        if service not in self._clients:
            self._clients[service] = self._cloud.client(service, region=self._region, **self._keys)
        return self._clients[service]

    def resolve(self, variables: Iterable[dict[str, str]]) -> dict[str, str]:
        """Return name and value of ``variables`` of any type; raises ``PhaseError`` for one that cannot be read."""
        readers = {"PARAMETER_STORE": self.parameter, "SECRETS_MANAGER": self.secret}
        resolved = {}
        for each in variables:
            kind = each.get("type", "PLAINTEXT")
            value = each["value"] if kind == "PLAINTEXT" else readers[kind](each["name"], each["value"])
            resolved[each["name"]] = value
            if kind != "PLAINTEXT":
                self.secrets.add(value)
        return resolved

    def parameter(self, variable: str, name: str) -> str:
        """Return a value of Systems Manager's Parameter Store."""
        try:
            found = self.client("ssm").get_parameter(Name=name, WithDecryption=True)
        except ClientError as error:
            raise PhaseError(DOWNLOADING, _unreadable(variable, "parameter", name, error)) from error
        return str(found["Parameter"]["Value"])

    def secret(self, variable: str, reference: str) -> str:
        """Return a value of Secrets Manager; ``reference`` is ``secret-id:json-key:version-stage:version-id``.

        https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.secrets-manager
        """
        # An ARN has colons of its own: six parts before the secret's name.
        parts = reference.split(":", 6) if reference.startswith("arn:") else ["", reference]
        name, key, stage, version = [*parts[-1].split(":"), "", "", ""][:4]
        name = ":".join([*parts[:-1], name]).removeprefix(":")
        asked = {"SecretId": name} | ({"VersionStage": stage} if stage else {})
        try:
            text = self.client("secretsmanager").get_secret_value(**asked | ({"VersionId": version} if version else {}))
            return str(text["SecretString"]) if not key else _member(text["SecretString"], key)
        except ClientError as error:
            raise PhaseError(DOWNLOADING, _unreadable(variable, "secret", name, error)) from error
        except (KeyError, ValueError) as error:
            raise PhaseError(DOWNLOADING, f"{variable}: secret {name} has no key {key!r}, check its JSON") from error


def _member(text: str, key: str) -> str:
    value = json.loads(text)[key]
    return value if isinstance(value, str) else json.dumps(value)


def _unreadable(variable: str, kind: str, name: str, error: ClientError) -> str:
    return f"{variable}: {kind} {name} cannot be read: {error.response['Error'].get('Message', error)}"
