"""The synthesized stacks, as the commands find them."""

import json
from pathlib import Path
from typing import Any

from delivery.project import Project


def project(folder: Path, **stacks: dict[str, Any]) -> Project:
    """A project with these stacks, each with its configuration."""
    for name, configuration in stacks.items():
        file = folder / "cdktf.out" / "stacks" / name.replace("_", "-") / "cdk.tf.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(configuration))
    return Project(folder)


def test_stacks_come_in_the_order_of_the_pipeline(tmp_path: Path) -> None:
    """Those of one environment together; what no stage deploys stands after them, by name."""
    stages = ["Source", "dev-plan", "dev-deploy", "staging-plan", "staging-deploy", "prod-plan", "prod-approve"]
    pipeline = {"resource": {"aws_codepipeline": {"pipeline": {"stage": [{"name": name} for name in stages]}}}}
    names = ("state", "chatbot_prod", "chatbot_staging", "access_prod", "chatbot_dev", "chatbot_new")
    found = project(tmp_path, pipeline=pipeline, **{name: {} for name in names})
    assert found.in_order(found.stack_names) == [
        "chatbot-dev",
        "chatbot-staging",
        "access-prod",
        "chatbot-prod",
        "chatbot-new",
        "pipeline",
        "state",
    ]


def test_without_a_pipeline_they_come_by_name(tmp_path: Path) -> None:
    """There is no other order."""
    found = project(tmp_path, two={}, one={})
    assert found.in_order(["two", "one"]) == ["one", "two"]
