"""The project synthesized, once for all tests."""

from pathlib import Path

import pytest

from stacks.settings import PROJECT
from tests.infrastructure.synthesis import Stack, read_stacks, synthesize


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the project as it is was synthesized."""
    folder = tmp_path_factory.mktemp("synthesized")
    synthesize(PROJECT, folder)
    return folder


@pytest.fixture(scope="session")
def stacks(synthesized: Path) -> dict[str, Stack]:
    """Every stack's cdk.tf.json."""
    return read_stacks(synthesized)
