"""Lambda functions run from their zips, as AWS would run them."""

import base64
import importlib.util
import io
import json
import os
import py_compile
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from rehearsal.cloud import Cloud
from rehearsal.functions import Functions, asynchronous, downloads, pool

ACCOUNT, REGION = "123456789012", "eu-central-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def zipped(files: dict[str, str | bytes], modes: dict[str, int] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o100644) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, Functions, Path]]:
    folder = tmp_path_factory.mktemp("rehearsal")
    with Cloud(account=ACCOUNT, region=REGION) as cloud:
        functions = Functions(cloud, folder)
        cloud.routes.append(functions)
        cloud.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(TRUST))
        yield cloud, functions, folder
        functions.close()


@pytest.fixture(scope="module")
def client(world: tuple[Cloud, Functions, Path]) -> Any:
    return world[0].client("lambda")


@pytest.fixture
def deploy(client: Any, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Deploy ``index.py`` with the given source (or a whole zip) under the test's own name."""

    def deploy(source: str | bytes, **settings: Any) -> str:
        code = source if isinstance(source, bytes) else zipped({"index.py": source})
        name = re.sub(r"[^\w-]", "-", request.node.name)[:64]
        client.create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/function",
                "Code": {"ZipFile": code},
            }
            | settings
        )
        return name

    return deploy


def invoke(client: Any, name: str, event: Any = None, **more: Any) -> Any:
    """Return what the function returned, or its error."""
    return json.loads(client.invoke(FunctionName=name, Payload=json.dumps(event), **more)["Payload"].read())


def until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


COUNTER = """
import os
calls = 0
def handler(event, context):
    global calls
    calls += 1
    version, arn = context.function_version, context.invoked_function_arn
    return {"calls": calls, "pid": os.getpid(), "arn": arn, "version": version}
"""


def test_a_warm_worker_is_used_again(client: Any, deploy: Callable[..., str]) -> None:
    """The second call meets the state that the first one left."""
    name = deploy(COUNTER)
    first, second = invoke(client, name), invoke(client, name)
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"]
    assert first["arn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    assert first["version"] == "$LATEST"


def test_the_environment_is_lambdas_and_the_functions_own(
    client: Any, deploy: Callable[..., str], world: tuple[Cloud, Functions, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function sees AWS's variables and its own, and nothing of this machine's."""
    monkeypatch.setenv("PRIVATE_TOKEN", "of this machine")
    source = "import os\ndef handler(event, context): return dict(os.environ)"
    settings = {"GREETING": "hello", "AWS_LAMBDA_FUNCTION_NAME": "a lie"}
    name = deploy(source, Environment={"Variables": settings}, MemorySize=256)
    found = invoke(client, name)
    assert found["GREETING"] == "hello"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert found["AWS_REGION"] == REGION
    assert found["TZ"] == ":UTC"
    assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert found["AWS_ENDPOINT_URL"] == world[0].endpoint
    assert "PRIVATE_TOKEN" not in found
    assert not any(key.startswith(("PYTHON", "PIP_", "VIRTUAL")) for key in found)


def test_the_function_is_its_execution_role(
    client: Any, deploy: Callable[..., str], world: tuple[Cloud, Functions, Path]
) -> None:
    """Calls with the credentials in the environment are made by the role's session."""
    name = deploy("import os\ndef handler(event, context): return dict(os.environ)")
    found = invoke(client, name)
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    identity = world[0].client("sts", **{key.lower(): found[key] for key in keys}).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/function/{name}"


@pytest.mark.parametrize("module", ["requests", "boto3", "rehearsal", "pip"])
def test_what_the_zip_forgot_is_missing(client: Any, deploy: Callable[..., str], module: str) -> None:
    """A dependency that is installed here but not in the zip fails as on AWS."""
    name = deploy(f"import {module}\ndef handler(event, context): return 1")
    answer = client.invoke(FunctionName=name)
    error = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert f"No module named '{module}'" in error["errorMessage"]


def test_shipped_byte_code_is_used(client: Any, deploy: Callable[..., str], tmp_path: Path) -> None:
    """Byte-code with an unchecked hash is run without being compiled again."""
    source = tmp_path / "index.py"
    source.write_text("def handler(event, context): return 'byte-code'")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compiled = tmp_path / "index.pyc"
    py_compile.compile(str(source), cfile=str(compiled), invalidation_mode=mode)
    cached = Path(importlib.util.cache_from_source("index.py"))
    files = {"index.py": "def handler(event, context): return 'source'", cached.as_posix(): compiled.read_bytes()}
    assert invoke(client, deploy(zipped(files))) == "byte-code"


def test_modes_of_files_are_kept(client: Any, deploy: Callable[..., str]) -> None:
    """A program in the zip can be run if its mode says so."""
    source = """
import os, subprocess
def handler(event, context):
    return subprocess.run([os.environ["LAMBDA_TASK_ROOT"] + "/bin/hello"], capture_output=True, text=True).stdout
"""
    files = {"index.py": source, "bin/hello": "#!/bin/sh\necho hello\n"}
    assert invoke(client, deploy(zipped(files, {"bin/hello": 0o100755}))) == "hello\n"


@pytest.mark.parametrize("entry", ["../outside.py", "/tmp/outside.py", "a/../../outside.py", "..\\outside.py"])
def test_a_zip_that_leaves_its_folder_is_refused(client: Any, deploy: Callable[..., str], entry: str) -> None:
    """No entry of a zip is written outside of the function's own folder."""
    name = deploy(zipped({"index.py": "def handler(event, context): return 1", entry: "x"}))
    with pytest.raises(ClientError, match="InvalidZipFileException"):
        client.invoke(FunctionName=name)


def test_a_link_out_of_the_zip_is_refused(client: Any, deploy: Callable[..., str]) -> None:
    """A symbolic link may not lead out of the function's folder."""
    files = {"index.py": "def handler(event, context): return 1", "link": "../../.."}
    name = deploy(zipped(files, {"link": 0o120777}))
    with pytest.raises(ClientError, match="InvalidZipFileException"):
        client.invoke(FunctionName=name)


FAULTS = """
import os, sys, time
def handler(event, context):
    if event == "raise":
        raise ValueError("a bad value")
    if event == "crash":
        os._exit(3)
    if event == "sleep":
        time.sleep(30)
    if event == "large":
        return "x" * 6_300_000
    if event == "unserializable":
        return object()
    return os.getpid()
"""


@pytest.mark.parametrize(
    ("event", "error_type", "message"),
    [
        ("raise", "ValueError", "a bad value"),
        ("crash", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("sleep", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("large", "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size (6291556 bytes)"),
        ("unserializable", "Runtime.MarshalError", "Unable to marshal response"),
    ],
)
def test_faults_are_reported_as_by_lambda(
    client: Any, deploy: Callable[..., str], event: str, error_type: str, message: str
) -> None:
    """A fault is a function error with AWS's words, and the next call works."""
    name = deploy(FAULTS, Timeout=1)
    assert isinstance(invoke(client, name), int)
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    error = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert error["errorType"] == error_type
    assert message in error["errorMessage"]
    assert isinstance(invoke(client, name), int)


def test_a_timed_out_worker_is_killed_with_its_children(
    client: Any, deploy: Callable[..., str], tmp_path: Path
) -> None:
    """Nothing that a function started survives its time-out."""
    source = f"""
import os, pathlib, subprocess, time
def handler(event, context):
    child = subprocess.Popen(["sleep", "60"])
    pathlib.Path({str(tmp_path / "pids")!r}).write_text(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(30)
"""
    client.invoke(FunctionName=deploy(source, Timeout=1))
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        assert until(lambda pid=pid: gone(pid))


def gone(pid: int) -> bool:
    """Whether the process ended (a zombie that nobody has waited for yet has ended, too)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:  # not there at all, or gone while it was read
        return False


def test_initialization_errors_are_the_answer(client: Any, deploy: Callable[..., str]) -> None:
    """An exception at import time is what every call gets, with its trace."""
    name = deploy("raise RuntimeError('no settings')\ndef handler(event, context): return 1")
    error = invoke(client, name)
    assert (error["errorType"], error["errorMessage"]) == ("RuntimeError", "no settings")
    assert "index.py" in "".join(error["stackTrace"])


def test_versions_and_aliases_lead_to_their_code(client: Any, deploy: Callable[..., str]) -> None:
    """A version keeps its code, and an alias runs what it points to now."""
    template = "def handler(event, context): return [{!r}, context.function_version, context.invoked_function_arn]"
    name = deploy(template.format("one"))
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    one = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=one)
    assert invoke(client, name, Qualifier="live") == ["one", one, f"{arn}:live"]
    client.update_function_code(FunctionName=name, ZipFile=zipped({"index.py": template.format("two")}))
    two = client.publish_version(FunctionName=name)["Version"]
    assert invoke(client, name) == ["two", "$LATEST", arn]
    assert invoke(client, f"{arn}:live")[:2] == ["one", one]
    client.update_alias(FunctionName=name, Name="live", FunctionVersion=two)
    assert invoke(client, f"{name}:live")[:2] == ["two", two]
    assert invoke(client, name, Qualifier=one)[:2] == ["one", one]


def test_a_version_is_loaded_as_soon_as_an_alias_leads_to_it(
    client: Any, deploy: Callable[..., str], tmp_path: Path
) -> None:
    """The first call finds a worker that has started, and one that cannot start fails no alias."""
    mark = tmp_path / "loaded"
    name = deploy(f"open({str(mark)!r}, 'a').write('once')\ndef handler(event, context): return 'there'", Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert until(mark.exists)
    assert invoke(client, name, Qualifier="live") == "there"
    assert mark.read_text() == "once"

    client.update_function_code(FunctionName=name, ZipFile=zipped({"index.py": "1 / 0"}), Publish=True)
    client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    answer = client.invoke(FunctionName=name, Qualifier="live")
    assert json.load(answer["Payload"])["errorType"] == "ZeroDivisionError"


def test_two_aliases_of_a_version_load_it_once(client: Any, deploy: Callable[..., str], tmp_path: Path) -> None:
    """The second finds that it is being loaded."""
    mark = tmp_path / "loaded"
    source = f"import time; open({str(mark)!r}, 'a').write('x'); time.sleep(0.5)\ndef handler(event, context): return 1"
    name = deploy(source, Publish=True)
    for alias in ("live", "next"):
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
    assert until(mark.exists)
    assert invoke(client, name, Qualifier="next") == 1
    assert mark.read_text() == "x"


def test_an_alias_that_cannot_be_made_is_refused_at_once(client: Any) -> None:
    """Clients take a 500 for a passing trouble, and try again."""
    with pytest.raises(ClientError) as error:
        client.create_alias(FunctionName=f"{ACCOUNT}:function:odd", Name="live", FunctionVersion="1")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_package_can_be_had_as_it_was_deployed(
    client: Any, deploy: Callable[..., str], world: tuple[Cloud, Functions, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By version and alias too, with a link that needs no credentials, and works for some minutes only."""
    first, second = (zipped({"index.py": f"def handler(event, context): return {n}"}) for n in (1, 2))
    name = deploy(first, Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName=name, ZipFile=second)

    def location(function: str, **more: str) -> str:
        return str(client.get_function(FunctionName=function, **more)["Code"]["Location"])

    assert requests.get(location(name), timeout=10).content == second
    for link in (location(name, Qualifier="live"), location(name, Qualifier="1")):
        assert requests.get(link, timeout=10).content == first
    arn = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    assert requests.get(location(arn), timeout=10).content == second

    monkeypatch.setattr(downloads, "LINK_SECONDS", -1)
    assert requests.get(location(name), timeout=10).status_code == 403
    assert requests.get(f"{world[0].endpoint}{downloads.PREFIX}nobody", timeout=10).status_code == 403


def test_a_weighted_alias_sends_some_traffic_to_the_other_version(client: Any, deploy: Callable[..., str]) -> None:
    """Both versions of a routing configuration answer, and the answer says which did."""
    name = deploy("def handler(event, context): return 'one'")
    one = client.publish_version(FunctionName=name)["Version"]
    client.update_function_code(
        FunctionName=name, ZipFile=zipped({"index.py": "def handler(event, context): return 'two'"})
    )
    two = client.publish_version(FunctionName=name)["Version"]
    weights = {"AdditionalVersionWeights": {two: 0.5}}
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=one, RoutingConfig=weights)
    answers = [client.invoke(FunctionName=name, Qualifier="live") for _ in range(60)]
    found = {(json.loads(each["Payload"].read()), each["ExecutedVersion"]) for each in answers}
    assert found == {("one", one), ("two", two)}


def test_new_configuration_of_latest_reaches_the_next_call(client: Any, deploy: Callable[..., str]) -> None:
    """A changed variable starts a new worker, as on AWS."""
    name = deploy("import os\ndef handler(event, context): return os.environ.get('COLOUR')")
    assert invoke(client, name) is None
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "green"}})
    assert invoke(client, name) == "green"


@pytest.mark.parametrize("qualifier", [None, "7", "live", "$LATEST"])
def test_an_unknown_function_is_not_found(client: Any, qualifier: str | None) -> None:
    """The error names the ARN that was meant."""
    more = {"Qualifier": qualifier} if qualifier else {}
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.invoke(FunctionName="absent", **more)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:absent" + (f":{qualifier}" if qualifier else "")
    assert arn in str(caught.value)


def test_an_unknown_alias_is_not_found(client: Any, deploy: Callable[..., str]) -> None:
    """A qualifier that names neither version nor alias is an error."""
    name = deploy(COUNTER)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName=name, Qualifier="absent")


def test_a_name_that_is_none_is_refused(client: Any) -> None:
    """What Lambda would not take for a name never gets past the front door."""
    with pytest.raises(ClientError, match="is no function name or ARN"):
        client.invoke(FunctionName="../..")


def test_another_way_to_invoke_is_refused_by_name(client: Any, deploy: Callable[..., str]) -> None:
    """The deprecated InvokeAsync is not answered by anything else."""
    with pytest.raises(ClientError, match="does not emulate"):
        client.invoke_async(FunctionName=deploy(COUNTER), InvokeArgs=b"{}")


def test_another_runtime_is_refused_by_name(client: Any, deploy: Callable[..., str]) -> None:
    """What cannot be run here is not run by something else."""
    name = deploy("exports.handler = 1", Runtime="nodejs22.x")
    with pytest.raises(ClientError, match=r"not nodejs22\.x"):
        client.invoke(FunctionName=name)


@pytest.mark.parametrize(
    ("payload", "error"),
    [(b"{", "InvalidRequestContentException"), (b'"' + b"x" * 6_291_456 + b'"', "RequestTooLargeException")],
)
def test_unfit_payloads_are_refused(client: Any, deploy: Callable[..., str], payload: bytes, error: str) -> None:
    """A payload that is no JSON or too large never reaches the function."""
    with pytest.raises(ClientError, match=error):
        client.invoke(FunctionName=deploy(COUNTER), Payload=payload)


SLOW = """
import os, time
def handler(event, context):
    time.sleep(event or 0)
    return os.getpid()
"""


def test_concurrent_calls_get_workers_of_their_own(client: Any, deploy: Callable[..., str]) -> None:
    """Two calls at once are answered by two processes."""
    name = deploy(SLOW)
    with ThreadPoolExecutor(2) as executor:
        pids = list(executor.map(lambda _: invoke(client, name, 0.5), range(2)))
    assert len(set(pids)) == 2


def test_many_short_calls_share_a_few_workers(
    client: Any, deploy: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty calls at once do not start fifty processes."""
    monkeypatch.setattr(pool, "GROWTH_SECONDS", 60)
    name = deploy(SLOW)
    with ThreadPoolExecutor(50) as executor:
        pids = list(executor.map(lambda _: invoke(client, name, 0.01), range(100)))
    assert len(pids) == 100
    assert len(set(pids)) <= pool.AT_ONCE


def test_calls_that_wait_for_each_other_get_workers_of_their_own(
    client: Any, deploy: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More calls than start at once can all be in progress; none of them ends before the last one has begun."""
    monkeypatch.setattr(pool, "GROWTH_SECONDS", 0.1)
    calls = pool.AT_ONCE + 3
    source = f"""
import os, pathlib, time
def handler(event, context):
    here = pathlib.Path({str(tmp_path)!r})
    (here / str(os.getpid())).touch()
    while len(list(here.iterdir())) < event:
        time.sleep(0.01)
"""
    name = deploy(source, Timeout=30)
    with ThreadPoolExecutor(calls) as executor:
        answers = list(executor.map(lambda _: invoke(client, name, calls), range(calls)))
    assert answers == [None] * calls


def test_no_call_is_overtaken_by_later_ones(
    client: Any, deploy: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who calls again and again gets no more than who has waited."""
    monkeypatch.setattr(pool, "AT_ONCE", 1)
    monkeypatch.setattr(pool, "LIMIT", 1)
    name, callers = deploy(SLOW), 10
    invoke(client, name)
    begun, served = threading.Barrier(callers), [0] * callers

    def call(caller: int) -> None:
        begun.wait()
        while sum(served) < 20 * callers:
            invoke(client, name)
            served[caller] += 1

    with ThreadPoolExecutor(callers) as executor:
        list(executor.map(call, range(callers)))
    assert min(served) >= 18


def test_reserved_concurrency_throttles(client: Any, deploy: Callable[..., str], tmp_path: Path) -> None:
    """One more call than reserved is refused, and so is every call when nothing is reserved."""
    source = f"""
import pathlib, time
def handler(event, context):
    pathlib.Path({str(tmp_path / "started")!r}).touch()
    while not pathlib.Path({str(tmp_path / "end")!r}).exists():
        time.sleep(0.01)
"""
    name = deploy(source, Timeout=20)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    running = threading.Thread(target=invoke, args=(client, name))
    running.start()
    assert until((tmp_path / "started").exists)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)
    (tmp_path / "end").touch()
    running.join()
    assert invoke(client, name) is None
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)


def test_events_run_in_the_background(client: Any, deploy: Callable[..., str], tmp_path: Path) -> None:
    """An asynchronous invocation is accepted at once and happens later."""
    mark = tmp_path / "mark"
    name = deploy(f"import pathlib\ndef handler(event, context): pathlib.Path({str(mark)!r}).write_text(event)")
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps("done"))
    assert answer["StatusCode"] == 202
    assert until(lambda: mark.exists() and mark.read_text() == "done")


def test_failed_events_are_tried_again(
    client: Any, deploy: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that fails is run twice more, under the same request id."""
    monkeypatch.setattr(asynchronous, "RETRY_SECONDS", (0.05, 0.05))
    mark = tmp_path / "mark"
    source = f"""
def handler(event, context):
    with open({str(mark)!r}, "a") as file:
        file.write(context.aws_request_id + "\\n")
    raise ValueError
"""
    answer = client.invoke(FunctionName=deploy(source), InvocationType="Event")
    assert until(lambda: mark.exists() and mark.read_text().count("\n") >= 3)
    assert not until(lambda: mark.read_text().count("\n") > 3, seconds=0.5)
    assert set(mark.read_text().split()) == {answer["ResponseMetadata"]["RequestId"]}


def test_a_role_that_lambda_may_not_assume_runs_nothing(
    client: Any, deploy: Callable[..., str], world: tuple[Cloud, Functions, Path]
) -> None:
    """Credentials are handed out only by a role that trusts Lambda."""
    other = json.dumps(TRUST).replace("lambda.", "ec2.")
    world[0].client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=other)
    name = deploy(COUNTER, Role=f"arn:aws:iam::{ACCOUNT}:role/other")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.invoke(FunctionName=name)


def test_a_dry_run_runs_nothing(client: Any, deploy: Callable[..., str]) -> None:
    """A dry run succeeds for a function that exists, without a call."""
    name = deploy(COUNTER)
    assert client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    assert invoke(client, name)["calls"] == 1


def test_logs_reach_cloudwatch_and_a_file(
    client: Any, deploy: Callable[..., str], world: tuple[Cloud, Functions, Path]
) -> None:
    """What a function prints stands between START and REPORT, whatever bytes it prints."""
    source = """
import sys
def handler(event, context):
    print("to standard output")
    print("to standard error", file=sys.stderr)
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\\xff\\x00 odd bytes\\n")
    sys.stdout.buffer.flush()
"""
    cloud, _, folder = world
    name = deploy(source)
    answer = client.invoke(FunctionName=name, LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "to standard output" in tail
    assert "Init Duration" in tail

    def messages() -> list[str]:
        events = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        found = [event["message"] for event in events]
        return found if any(message.startswith("REPORT") for message in found) else []

    cloud.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}-other")
    found = until(lambda: messages() if (folder / "logs/functions" / f"{name}.log").exists() else [])
    kinds = [message.split()[0] for message in found]
    assert kinds.index("START") < kinds.index("END") < kinds.index("REPORT")
    assert {"to standard output", "to standard error"} <= set(found)
    assert any("odd bytes" in message for message in found)
    assert "to standard error" in (folder / "logs/functions" / f"{name}.log").read_text()


def test_a_traceback_is_one_log_event(
    client: Any, deploy: Callable[..., str], world: tuple[Cloud, Functions, Path]
) -> None:
    """The lines of an exception stay together, as in CloudWatch."""
    name = deploy(FAULTS)
    answer = client.invoke(FunctionName=name, Payload=json.dumps("raise"), LogType="Tail")
    assert "[ERROR] ValueError: a bad value\nTraceback" in base64.b64decode(answer["LogResult"]).decode()


def test_the_tail_holds_all_that_was_printed_before_the_answer(client: Any, deploy: Callable[..., str]) -> None:
    """However much a function prints, its last line stands right before END."""
    name = deploy("text = '\\n'.join(f'line {n}' for n in range(5000))\ndef handler(event, context): print(text)")
    for _ in range(20):
        answer = client.invoke(FunctionName=name, LogType="Tail")
        lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
        assert lines[-3] == "line 4999"
        assert lines[-2].startswith("END")


def test_a_layer_is_on_the_search_path(client: Any, deploy: Callable[..., str]) -> None:
    """Modules below ``python/`` of a layer can be imported."""
    content = {"ZipFile": zipped({"python/greeting.py": "WORDS = 'from the layer'"})}
    layer = client.publish_layer_version(LayerName="greeting", Content=content)["LayerVersionArn"]
    name = deploy("import greeting\ndef handler(event, context): return greeting.WORDS", Layers=[layer])
    assert invoke(client, name) == "from the layer"


@pytest.fixture
def short_lived(tmp_path: Path) -> Iterator[tuple[Any, Functions, Callable[[], int]]]:
    """A world whose only function writes its process id down and sleeps as long as the event says."""
    with Cloud(account=ACCOUNT, region=REGION) as cloud:
        cloud.client("iam").create_role(RoleName="short", AssumeRolePolicyDocument=json.dumps(TRUST))
        functions = Functions(cloud, tmp_path, idle_seconds=0.1)
        cloud.routes.append(functions)
        client = cloud.client("lambda")
        mark = tmp_path / "pid"
        source = f"""
import os, pathlib, time
def handler(event, context):
    pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))
    time.sleep(event)
"""
        client.create_function(
            FunctionName="short",
            Runtime="python3.13",
            Handler="index.handler",
            Role=f"arn:aws:iam::{ACCOUNT}:role/short",
            Code={"ZipFile": zipped({"index.py": source})},
            Timeout=60,
        )
        yield client, functions, lambda: int(until(lambda: mark.exists() and mark.read_text()))
        functions.close()
        client.delete_function(FunctionName="short")
        cloud.client("iam").delete_role(RoleName="short")


def test_nothing_is_left_after_close(short_lived: tuple[Any, Functions, Callable[[], int]], tmp_path: Path) -> None:
    """Closing ends every worker, even one in the middle of a call, and the scratch folders are gone."""
    client, functions, pid = short_lived
    client.invoke(FunctionName="short", InvocationType="Event", Payload="60")
    running = pid()
    functions.close()
    assert gone(running)
    assert not list((tmp_path / "functions").glob("*/worker-*"))


def test_what_an_alias_has_loaded_ends_too(
    short_lived: tuple[Any, Functions, Callable[[], int]], tmp_path: Path
) -> None:
    """Even where it is just being started when all is closed."""
    client, functions, _ = short_lived
    before = set(threading.enumerate())
    version = client.publish_version(FunctionName="short")["Version"]
    client.create_alias(FunctionName="short", Name="live", FunctionVersion=version)
    functions.close()
    assert not list((tmp_path / "functions").glob("*/worker-*"))
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("warming")]


def test_idle_workers_end(short_lived: tuple[Any, Functions, Callable[[], int]]) -> None:
    """A worker that has nothing to do for long enough is ended, and the next call starts another."""
    client, _, pid = short_lived
    client.invoke(FunctionName="short", Payload="0")
    first = pid()
    assert until(lambda: gone(first))
    client.invoke(FunctionName="short", Payload="0")
    assert pid() != first
