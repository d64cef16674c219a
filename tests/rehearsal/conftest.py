"""What several files of these tests live in."""

from collections.abc import Iterator

import pytest

from tests.rehearsal.team import Team, team


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose dev is deployed and whose prod is not; tests leave it as they found it."""
    with team(tmp_path_factory.mktemp("team")) as found:
        yield found
