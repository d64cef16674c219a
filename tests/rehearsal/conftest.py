"""What several files of these tests live in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.deliveries import emulated_aws, provider_lock
from tests.rehearsal.team import Team, team


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose dev is deployed and whose prod is not; tests leave it as they found it.

    One for a file: moto keeps one AWS in a process, which other files begin anew.
    """
    with team(tmp_path_factory.mktemp("team")) as found:
        yield found


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An emulated AWS."""
    with emulated_aws() as address:
        yield address


@pytest.fixture(scope="session")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider lock that Terraform itself writes on this machine."""
    return provider_lock(tmp_path_factory.mktemp("lock"))
