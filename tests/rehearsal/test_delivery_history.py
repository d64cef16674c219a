"""What the ledger tells afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.deliveries import World, data_stack, emulated_aws, prepared_account


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, list[str]]]:
    """A project that was applied once and planned once more, and the digests of both plans."""
    with emulated_aws() as endpoint:
        world = prepared_account(Path(tmp_path_factory.mktemp("told")), endpoint)
        world.write("web", data_stack("web", "one"))
        first = world.plan("web")["PLAN_SHA256"]
        assert world.apply("web", first).returncode == 0
        world.write("web", data_stack("web", "two"))
        yield world, [first, world.plan("web")["PLAN_SHA256"]]


def test_history_lists_an_environments_plans_the_newest_first(told: tuple[World, list[str]]) -> None:
    """Who put what where, when, from which plan."""
    world, (first, second) = told

    done = world.delivery("history", "--environment", "web")

    lines = done.stdout.splitlines()
    assert lines[0].split() == ["planned", "environment", "what", "outcome", "by", "commit", "plan"]
    assert ("1 to change" in lines[1], "planned" in lines[1], second[:12] in lines[1]) == (True, True, True)
    nothing = world.delivery("history", "--environment", "wbe").stdout
    assert nothing == "the ledger knows no plan of wbe\n"
    assert ("1 to add" in lines[2], "applied" in lines[2], first[:12] in lines[2]) == (True, True, True)


def test_history_gives_whole_records_to_programs(told: tuple[World, list[str]]) -> None:
    """Of every environment that is synthesized, unless one is named; the latest alone, if that is enough."""
    world, (first, second) = told

    everything = json.loads(world.delivery("history", "--json").stdout)
    latest = json.loads(world.delivery("history", "--environment", "web", "--limit", "1", "--json").stdout)

    assert [(each["plan_sha256"], each["status"]) for each in everything] == [(second, "planned"), (first, "applied")]
    assert [each["plan_sha256"] for each in latest] == [second]
    assert everything[1]["apply"]["state"]["serial"] == 1


def test_one_plan_is_attested_by_the_start_of_its_digest(told: tuple[World, list[str]]) -> None:
    """A start that fits none, or several, is answered in one line."""
    world, (first, _) = told

    made = json.loads(world.delivery("history", "--attestation", first[:16]).stdout)
    unknown = world.delivery("history", "--environment", "web", "--attestation", "xyz")
    several = world.delivery("history", "--attestation", "")

    assert made["subject"][0]["digest"]["sha256"] == first
    assert made["predicate"]["runDetails"]["parley_result"]["status"] == "applied"
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "the ledger of web knows no plan whose digest begins with 'xyz'\n",
    )
    assert (several.returncode, "2 plans of" in several.stderr) == (2, True)


def test_without_a_ledger_it_says_what_makes_one(told: tuple[World, list[str]]) -> None:
    """A project bootstrapped before there was a ledger needs one more bootstrap."""
    world, _ = told
    world.client("dynamodb").delete_table(TableName="acme-ledger")

    done = world.delivery("history", "--environment", "web")

    assert done.returncode == 1
    assert done.stderr.startswith(
        "the ledger acme-ledger cannot be used (if it is not there yet, run `.venv/bin/python -m delivery bootstrap`)"
    )
    assert done.stderr.count("\n") == 1
