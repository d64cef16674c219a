"""How long synthesis takes, beside an AWS CDK application of the same resources."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, interleaved, seconds
from benchmarks.peer import environment as cdk
from benchmarks.project import PYTHON, ROOT, BenchmarkError, inherited, make_package, run

NODE = ROOT / "node_modules" / ".bin" / "node"
PEER = ROOT / "benchmarks" / "peer" / "app.py"
DYNAMODB = "from cdktf_cdktf_provider_aws.dynamodb_table import DynamodbTable"
IMPORTS = {"fast": f"import stacks.aws; {DYNAMODB}", "whole": DYNAMODB}


def measure(repeat: int) -> list[Figure]:
    """Synthesize all stacks, warm; then import one resource through the fast door and through the package."""
    make_package()
    return [_synthesis(repeat), _imports(repeat)]


def _synthesis(repeat: int) -> Figure:
    with tempfile.TemporaryDirectory() as name:
        ours = partial(_run, [PYTHON, ROOT / "main.py"], CDKTF_OUTDIR=str(Path(name) / "ours"))
        measurements = {"ours": seconds(ours)}
        note = ""
        try:
            peer = partial(_run, [cdk.python(), PEER, Path(name) / "peer"])
            peer()
            measurements["peer"] = seconds(peer)
        except BenchmarkError as error:
            note = f"without its peer: {error}"
        ours()
        found = interleaved(measurements, repeat)
    return Figure(
        id="synth",
        what="synthesis of all stacks",
        unit="s",
        ours=found["ours"],
        peer=found.get("peer"),
        peer_name="aws-cdk-lib, pipelines",
        note=note,
    )


def _imports(repeat: int) -> Figure:
    works: dict[str, Callable[[], object]] = {
        name: partial(_run, [PYTHON, "-c", code]) for name, code in IMPORTS.items()
    }
    # The whole import takes as long as a dozen of the other: once is enough to warm it, twice to compare it.
    for work in works.values():
        work()
    found = interleaved({name: seconds(work) for name, work in works.items()}, min(repeat, 2))
    return Figure(
        id="synth.import",
        what="import of one AWS resource",
        unit="s",
        ours=found["fast"],
        peer=found["whole"],
        peer_name="the whole package",
    )


def _run(command: list[str | Path], **variables: str) -> str:
    node = {"JSII_NODE": str(NODE)} if NODE.exists() else {}
    return run(command, environment=inherited() | node | {"NODE_NO_WARNINGS": "1"} | variables)
