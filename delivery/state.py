"""Where a stack's state is kept, which version of it is there, and who holds its lock."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.aws import asking, client, code
from delivery.errors import DeliveryError, UsageError
from delivery.project import Stack
from delivery.record import StateVersion


@dataclass(frozen=True)
class Lock:
    """Who holds the lock of a state, as Terraform wrote it."""

    id: str
    who: str
    operation: str
    created: str


@dataclass(frozen=True)
class Backend:
    """Where a stack's state is kept, and where its lock."""

    bucket: str
    key: str
    region: str
    lock_table: str = ""

    @classmethod
    def of(cls, stack: Stack) -> "Backend":
        """Read the S3 backend of ``stack``; raises ``UsageError`` where it has none."""
        try:
            s3 = stack.configuration["terraform"]["backend"]["s3"]
            return cls(s3["bucket"], s3["key"], s3["region"], s3.get("dynamodb_table", ""))
        except (KeyError, TypeError) as error:
            raise UsageError(
                f"stack {stack.name} has no S3 backend ({error} is missing): run `make synth` again"
            ) from error

    def version(self) -> StateVersion:
        """Return the version of the state that is there now: an empty one where there is none."""
        content = self._read()
        return StateVersion() if content is None else _version(content, self._address)

    def outputs(self) -> dict[str, Any]:
        """Return the values of the outputs that are not sensitive; none where there is no state.

        Asking Terraform takes it most of a second, and an init before.
        """
        outputs = _parsed(self._read() or b"{}", self._address).get("outputs") or {}
        return {name: output["value"] for name, output in outputs.items() if not output.get("sensitive")}

    @property
    def _address(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def _read(self) -> bytes | None:
        from botocore.exceptions import ClientError

        with asking(f"cannot read the state {self._address}", state=True):
            try:
                return bytes(client("s3", self.region).get_object(Bucket=self.bucket, Key=self.key)["Body"].read())
            except ClientError as error:
                if code(error) in ("404", "NoSuchKey"):
                    return None
                raise

    def lock(self) -> Lock | None:
        """Return the lock on the state, if someone holds it.

        https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking
        """
        if not self.lock_table:
            return None
        with asking(f"cannot look into the lock table {self.lock_table}"):
            key = {"LockID": {"S": f"{self.bucket}/{self.key}"}}
            answer = client("dynamodb", self.region).get_item(TableName=self.lock_table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        info = json.loads(answer["Item"].get("Info", {}).get("S", "{}"))
        return Lock(*(str(info.get(name, "unknown")) for name in ("ID", "Who", "Operation", "Created")))


def planned_on(plan: Path) -> StateVersion:
    """Return the version of the state that a saved plan was made on; Terraform keeps a copy of it in there."""
    try:
        with zipfile.ZipFile(plan) as archive:
            return _version(archive.read("tfstate"), f"the state in {plan}")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DeliveryError(f"{plan} is not a plan as Terraform saves it ({error}): plan again") from error


def _version(content: bytes, where: str) -> StateVersion:
    state = _parsed(content, where)
    try:
        return StateVersion(lineage=state["lineage"], serial=state["serial"])
    except KeyError as error:
        raise DeliveryError(f"{where} is no state of Terraform's ({error})") from error


def _parsed(content: bytes, where: str) -> dict[str, Any]:
    try:
        return dict(json.loads(content))
    except (ValueError, TypeError) as error:
        raise DeliveryError(f"{where} is no state of Terraform's ({error})") from error
