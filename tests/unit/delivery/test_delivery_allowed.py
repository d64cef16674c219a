"""What a branch's configuration must not hold if it is planned with our credentials."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.allowed import adopt, refusals

TRUSTED = {
    "terraform": {
        "backend": {"s3": {"bucket": "state", "key": "chatbot-dev/terraform.tfstate", "region": "eu-west-1"}},
        "required_providers": {"aws": {"source": "aws", "version": "5.100.0"}},
        "required_version": ">= 1.11.4",
    },
    "provider": {
        "aws": [{"region": "eu-west-1", "allowed_account_ids": ["1"], "default_tags": [{"tags": {"a": "b"}}]}]
    },
    "resource": {"aws_sqs_queue": {"q": {"name": "q"}}},
}


def stack(**blocks: Any) -> dict[str, Any]:
    """A branch's stack: ours with other blocks."""
    return json.loads(json.dumps(TRUSTED)) | blocks


def resource(**body: Any) -> dict[str, Any]:
    """A branch's stack with one resource."""
    return stack(resource={"terraform_data": {"x": body}})


def terraform(**settings: Any) -> dict[str, Any]:
    """A branch's stack with other settings of Terraform."""
    return stack(terraform=TRUSTED["terraform"] | settings)


def provider(**settings: Any) -> dict[str, Any]:
    """A branch's stack with another provider configuration."""
    return stack(provider={"aws": [{"region": "eu-west-1"} | settings]})


REFUSED = [
    (stack(module={"m": {"source": "git::https://example.org/x"}}), "block “module” is not allowed"),
    (stack(ephemeral={"aws_secretsmanager_secret_version": {"s": {}}}), "block “ephemeral”"),
    (stack(check={"c": {"data": {"http": {}}}}), "block “check”"),
    (stack(data={"external": {"e": {"program": ["sh"]}}}), "data sources of type “external”"),
    (stack(data={"http": {"e": {"url": "https://example.org"}}}), "data sources of type “http”"),
    (stack(data={"aws_secretsmanager_secret_version": {"s": {}}}), "“aws_secretsmanager_secret_version”"),
    (stack(data={"aws_lambda_invocation": {"s": {}}}), "data sources of type “aws_lambda_invocation”"),
    (stack(resource={"null_resource": {"n": {}}}), "resources of type “null_resource” are not allowed"),
    (stack(resource={"local_file": {"n": {}}}), "resources of type “local_file”"),
    (resource(provisioner=[{"local-exec": {"command": "id"}}]), "terraform_data.x has a provisioner"),
    (stack(resource={"aws_instance": {"x": [{"provisioner": {}}]}}), "aws_instance.x has a provisioner"),
    (resource(connection={"host": "x"}), "terraform_data.x has a connection"),
    (stack(removed=[{"from": "a.b", "provisioner": {}}]), "a removed block has a provisioner"),
    (terraform(backend={"http": {"address": "https://example.org"}}), "its state would be kept elsewhere"),
    (terraform(backend={"s3": {"bucket": "mine"}}), "its state would be kept elsewhere"),
    (terraform(cloud={}), "terraform.cloud is not allowed"),
    (terraform(encryption={}), "terraform.encryption is not allowed"),
    (terraform(required_providers={"aws": {"source": "evil/aws"}}), "it needs other providers"),
    (stack(provider={"aws": [], "external": [{}]}), "provider “external” is not allowed"),
    (provider(endpoints=[{"sts": "https://example.org"}]), "provider.aws.endpoints"),
    (provider(shared_credentials_files=["/proc/self/environ"]), "provider.aws.shared_credentials_files"),
    (provider(http_proxy="http://example.org"), "provider.aws.http_proxy"),
    (provider(assume_role=[{"role_arn": "arn:aws:iam::1:role/admin"}]), "would act as a role that it names"),
    (stack(variable={"deploy_role_arn": {"default": "arn:…"}}), "would act as a role that it names"),
    (resource(input='${file("/proc/self/environ")}'), "function file() is not allowed"),
    (resource(input='${ file ("x") }'), "function file() is not allowed"),
    (resource(input='${file/* */("x")}'), "function file() is not allowed"),
    (resource(input='${file#\n("x")}'), "function file() is not allowed"),
    (resource(input='${core::file("x")}'), "function file() is not allowed"),
    (resource(input='${upper("${templatefile("x", {})}")}'), "function templatefile() is not allowed"),
    (resource(input='%{if fileexists("x")}a%{endif}'), "function fileexists() is not allowed"),
    (resource(input={'${filebase64("x")}': 1}), "function filebase64() is not allowed"),
    (resource(input="https://x ${filesha256(var.x)}"), "function filesha256() is not allowed"),
    (resource(input="${provider::evil::run()}"), "function provider::evil::run() is not allowed"),
    (resource(input="${nonsensitive(var.x)}"), "function nonsensitive() is not allowed"),
    (resource(input="${templatestring(local.put_together, {s = var.x})}"), "function templatestring() is not allowed"),
    (resource(input='${1-file("/proc/self/environ")}'), "function file() is not allowed"),
    (stack(output={"x": {"value": '${fileset("/", "*")}'}}), "function fileset() is not allowed"),
    (stack(resource={"aws_s3_object": {"o": {"source": "/proc/self/environ"}}}), "reads a file that is no asset"),
    (stack(resource={"aws_lambda_function": {"f": {"filename": "assets/../../x"}}}), "is no asset (filename)"),
    (stack(resource={"aws_lambda_function": {"f": {"filename": "${path.root}/x"}}}), "is no asset (filename)"),
    (stack(resource=[{"null_resource": {}}]), "resource or data has a form"),
    (stack(resource={"aws_instance": {"x": [[{"provisioner": {}}]]}}), "resource or data has a form"),
    (stack(data=[{"external": {}}]), "resource or data has a form"),
    (stack(provider=[{"aws": {}}]), "provider has a form"),
    (stack(terraform=[]), "terraform has a form"),
]


@pytest.mark.parametrize(("configuration", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_would_run_or_read_more_than_a_plan_has_to_is_refused(configuration: dict[str, Any], reason: str) -> None:
    """Each with what it was that is not allowed."""
    found = refusals("chatbot-dev", configuration, TRUSTED)

    assert [why for why in found if reason in why]


@pytest.mark.parametrize(
    "configuration",
    [
        TRUSTED,
        stack(data={"aws_kms_alias": {"k": {"name": "alias/x"}}}),
        stack(moved=[{"from": "a.b", "to": "a.c"}], locals={"x": 1}, output={"u": {"value": "${upper(local.x)}"}}),
        terraform(required_version=">= 1.12"),
        provider(region="us-east-1", default_tags=[{"tags": {"Team": "${var.team}"}}]),
        provider(assume_role=[{"role_arn": "${var.deploy_role_arn}"}]),
        resource(input="a file (of 3) without any template"),
        resource(input="${aws_s3_object.file}"),
        resource(input='${replace(var.file, "(", ")")}'),
        stack(resource={"aws_lambda_function": {"f": {"filename": "assets/package/1A2B/lambda.zip"}}}),
        stack(resource={"aws_codebuild_project": {"p": {"source": {"type": "CODEPIPELINE"}}}}),
    ],
)
def test_what_a_change_ordinarily_holds_is_planned(configuration: dict[str, Any]) -> None:
    """Tags, regions, outputs, moved blocks and functions that only compute."""
    assert refusals("chatbot-dev", configuration, TRUSTED) == []


def test_a_new_environment_keeps_its_state_under_its_own_name() -> None:
    """Its key is its name's, and no other stack's."""
    mine = terraform(backend={"s3": TRUSTED["terraform"]["backend"]["s3"] | {"key": "chatbot-qa/terraform.tfstate"}})

    assert refusals("chatbot-qa", mine, TRUSTED) == []
    assert refusals("chatbot-qa", stack(), TRUSTED) == ["its state would be kept elsewhere (terraform.backend)"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from(["terraform", "provider", "resource", "data", "removed", "variable", "x"]), json_values)
def test_no_form_of_a_stack_breaks_the_check(block: str, value: Any) -> None:
    """Whatever stands in it, the answer is a list of printable lines."""
    assert all(why.isprintable() for why in refusals("chatbot-dev", stack(**{block: value}), TRUSTED))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A branch's stack, ours, and where the branch's is to be planned."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for folder in (theirs, ours):
        (folder / "assets" / "zip").mkdir(parents=True)
        (folder / "cdk.tf.json").write_text(json.dumps(TRUSTED))
        (folder / ".terraform.lock.hcl").write_text(f"# of {folder.name}")
        (folder / "assets" / "zip" / "lambda.zip").write_text("zip")
    return theirs, ours, tmp_path / "target"


def test_nothing_but_configuration_and_assets_is_planned(folders: tuple[Path, Path, Path]) -> None:
    """Other configuration files, variables, cached providers and the branch's own provider lock stay behind."""
    theirs, ours, target = folders
    for name in ("evil.tf", "x_override.tf.json", "terraform.tfvars", "x.auto.tfvars", ".terraform/providers/evil"):
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        (theirs / name).write_text("evil")

    assert adopt("chatbot-dev", theirs, ours, target) == []
    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()) == [
        ".terraform.lock.hcl",
        "assets/zip/lambda.zip",
        "cdk.tf.json",
    ]
    assert (target / ".terraform.lock.hcl").read_text() == "# of ours"


def test_of_a_key_that_stands_twice_terraform_sees_what_was_checked(folders: tuple[Path, Path, Path]) -> None:
    """Terraform takes both, Python the last one: what is planned is written anew."""
    theirs, ours, target = folders
    text = json.dumps(TRUSTED)[:-1] + ', "data": {"external": {"e": {"program": ["sh"]}}}, "data": {}}'
    (theirs / "cdk.tf.json").write_text(text)

    assert adopt("chatbot-dev", theirs, ours, target) == []
    assert "external" not in (target / "cdk.tf.json").read_text()


@pytest.mark.parametrize("name", ["assets/zip/secret", "assets", "cdk.tf.json", "."])
def test_links_lead_nowhere(folders: tuple[Path, Path, Path], tmp_path: Path, name: str) -> None:
    """No part of a branch's stack may be a file or folder of ours."""
    theirs, ours, target = folders
    place = theirs / name
    if place.exists():
        place.rename(tmp_path / "moved")
    place.symlink_to(ours / ("cdk.tf.json" if name.endswith("secret") else name))

    assert adopt("chatbot-dev", theirs, ours, target)
    assert not [path for path in target.rglob("*") if path.name == "secret" or path.is_symlink()]
    assert name.endswith("secret") or not (target / "assets").exists()


@pytest.mark.parametrize("name", ["cdk.tf.json", "assets/zip/lambda.zip"])
def test_a_second_name_of_a_file_that_is_not_the_branchs_is_refused(
    folders: tuple[Path, Path, Path], tmp_path: Path, name: str
) -> None:
    """Where the kernel lets anybody make one, it reads as its owner does."""
    theirs, ours, target = folders
    (tmp_path / "credentials").write_text(json.dumps(TRUSTED))
    (theirs / name).unlink()
    (theirs / name).hardlink_to(tmp_path / "credentials")

    assert adopt("chatbot-dev", theirs, ours, target)
    assert not (target / "assets" / "zip" / "lambda.zip").exists()


def test_a_file_of_any_size_costs_no_memory(folders: tuple[Path, Path, Path]) -> None:
    """It is not read at all."""
    theirs, ours, target = folders
    for name in ("cdk.tf.json", "assets/zip/lambda.zip"):
        with (theirs / name).open("r+b") as file:
            file.truncate(1 << 40)
        assert adopt("chatbot-dev", theirs, ours, target) in (
            ["its cdk.tf.json cannot be read (it is too large)"],
            ["its assets are larger than 500 MB"],
        )
        (theirs / name).write_text(json.dumps(TRUSTED))


@pytest.mark.parametrize("name", ["../state", "chatbot-@team", "Chatbot", "a b", "", "x" * 80])
def test_a_stack_with_a_strange_name_is_refused(folders: tuple[Path, Path, Path], name: str) -> None:
    """Names end up in paths, keys and comments."""
    assert adopt(name, folders[0], folders[1], folders[2]) == [
        "its name is not of lower-case letters, digits and dashes"
    ]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a":' * 100_000, "\ud800".encode(errors="surrogatepass")])
def test_a_damaged_configuration_is_refused(folders: tuple[Path, Path, Path], text: str | bytes) -> None:
    """It costs one line, and no traceback."""
    theirs, ours, target = folders
    (theirs / "cdk.tf.json").write_bytes(text if isinstance(text, bytes) else text.encode())

    assert adopt("chatbot-dev", theirs, ours, target)
    assert not target.exists()
