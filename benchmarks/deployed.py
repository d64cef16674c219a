"""The chatbot in a rehearsed cloud of its own: one environment's stack, applied as it is, but for its throttling."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.project import PYTHON, ROOT, BenchmarkError, inherited, make_package, run

STACK = "chatbot-dev"
OVERRIDE = "benchmark_override.tf.json"
THROTTLING = "aws_api_gateway_method_settings"
UNTHROTTLED = {"settings": [{"throttling_rate_limit": 10_000, "throttling_burst_limit": 5_000}]}
CLOUD = (PYTHON, "-m", "benchmarks.deployed")


@contextmanager
def deployed() -> Iterator[str]:
    """Deploy the chatbot and yield the URL of its API; afterwards nothing of it is left.

    Raises ``BenchmarkError`` when it cannot be deployed.
    """
    make_package()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run([PYTHON, ROOT / "main.py"], environment=inherited() | {"CDKTF_OUTDIR": str(folder / "out")})
        stack = folder / "out" / "stacks" / STACK
        region = _override(stack)
        with _cloud(folder / "cloud", region) as endpoint:
            yield _applied(stack, endpoint, region)


def _override(stack: Path) -> str:
    """Keep state beside the stack and let all requests through; return the stack's region.

    https://developer.hashicorp.com/terraform/language/files/override
    """
    configuration = json.loads((stack / "cdk.tf.json").read_text())
    throttled = dict.fromkeys(configuration["resource"].get(THROTTLING, {}), UNTHROTTLED)
    override: dict[str, Any] = {"terraform": {"backend": {"local": {}}}, "resource": {THROTTLING: throttled}}
    (stack / OVERRIDE).write_text(json.dumps(override))
    return str(configuration["provider"]["aws"][0]["region"])


@contextmanager
def _cloud(folder: Path, region: str) -> Iterator[str]:
    """Run a cloud in a process of its own and yield its endpoint."""
    account = run([PYTHON, "-m", "stacks", "account"]).strip()
    process = subprocess.Popen(
        [*CLOUD, folder, account, region],
        cwd=ROOT,
        env=inherited(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # The terminal's Ctrl-C reaches this process alone, which then closes the cloud.
        start_new_session=True,
    )
    try:
        endpoint = process.stdout.readline().strip() if process.stdout else ""
        if not endpoint:
            raise BenchmarkError("the cloud did not start")
        yield endpoint
    finally:
        process.communicate()


def _applied(stack: Path, endpoint: str, region: str) -> str:
    from delivery.errors import DeliveryError
    from delivery.project import Project, Stack
    from delivery.terraform import Terraform

    strange = ("AWS_", "TF_CLI_ARGS", "TF_VAR")
    mine = {name: value for name, value in inherited().items() if not name.startswith(strange)}
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "benchmark")
    environment = mine | keys | {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": region, "NO_PROXY": "127.0.0.1"}
    try:
        terraform, working = Terraform.of(Project(ROOT), environment), Stack(STACK, stack)
        terraform.init(working)
        terraform.run(working, "apply", "-no-color", "-input=false", "-auto-approve")
        address = terraform.run(working, "output", "-raw", "url")
    except DeliveryError as error:
        raise BenchmarkError(f"the chatbot was not deployed: {error}") from error
    api, stage = address.removeprefix("https://").partition(".")[0], address.rstrip("/").rpartition("/")[2]
    return f"{endpoint}/execute-api/{api}/{stage}"


def serve(folder: Path, account: str, region: str) -> None:
    """Run an empty cloud, say where, and end with standard input."""
    from rehearsal.world import world

    with world(folder, account=account, region=region, port=0, allowed_hosts=(), hurry=threading.Event()) as served:
        print(served.cloud.endpoint, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
