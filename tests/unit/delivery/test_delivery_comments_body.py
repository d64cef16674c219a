"""What a comment says when there is room for all of it, for some, and for next to nothing."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.changes import read_plan
from delivery.comments.bitbucket import Bitbucket
from delivery.comments.body import compose, cut
from delivery.comments.codecommit import CodeCommit
from delivery.comments.github import GitHub
from delivery.review import Review

LIMITS = [GitHub.limit, Bitbucket.limit, CodeCommit.limit]
HEAD, FOOT = "## Parley\n\nWhat this would do.", "Planned at aaaaaaaaaaaa."


def change(address: str, *actions: str, **details: Any) -> dict[str, Any]:
    """One entry of a plan's ``resource_changes``."""
    kind = address.partition(".")[0]
    body = {"actions": list(actions), "before": {}, "after": {}} | details
    return {"address": address, "mode": "managed", "type": kind, "change": body}


def review(stack: str, *changes: dict[str, Any]) -> Review:
    """The review of a plan of ``stack``."""
    return Review(stack, read_plan({"resource_changes": list(changes)}))


def updates(number: int) -> list[dict[str, Any]]:
    """Many long changes."""
    long = {f"attribute_{index}": "ü" * 150 for index in range(40)}
    return [change(f"aws_lambda_function.f{index}", "update", before={}, after=long) for index in range(number)]


def test_all_of_a_short_review_is_there() -> None:
    """Every environment in order, its headings below the comment's."""
    text = compose(
        [review("chatbot-dev", change("aws_sqs_queue.q", "create")), review("chatbot-prod")],
        head=HEAD,
        foot=FOOT,
        limit=10_240,
    )

    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "## Parley",
        "## chatbot-dev: 1 to add",
        "### Added",
        "## chatbot-prod: no changes",
    ]
    assert text.startswith(HEAD)
    assert text.endswith(FOOT)
    assert "cut" not in text


@pytest.mark.parametrize("limit", LIMITS)
def test_no_limit_loses_what_is_destroyed_in_any_environment(limit: int) -> None:
    """Hundreds of destroyed queues among long changes: each is named, in each environment, at every service."""
    dev = review("chatbot-dev", *updates(100), *(change(f"aws_sqs_queue.q{index}", "delete") for index in range(400)))
    prod = review(
        "chatbot-prod",
        *updates(100),
        *(change(f"aws_dynamodb_table.t{index}", "delete", "create") for index in range(400)),
    )

    text = compose([dev, prod], head=HEAD, foot=FOOT, limit=limit)

    words = set(text.split())
    assert len(text.encode()) <= limit
    assert all(f"q{index}" in words or f"aws_sqs_queue.q{index}" in words for index in range(400))
    assert all(f"t{index}" in words or f"aws_dynamodb_table.t{index}" in words for index in range(400))
    assert "- chatbot-dev: 400 to destroy, 100 to change" in text
    assert "- chatbot-prod: 400 to replace, 100 to change (destructive)" in text
    assert text.endswith(FOOT)


def test_what_is_cut_is_counted_from_the_bottom_of_each_review() -> None:
    """Every environment keeps its beginning; none takes another's room."""
    text = compose(
        [review("chatbot-dev", *updates(300)), review("chatbot-prod", *updates(300))],
        head=HEAD,
        foot=FOOT,
        limit=32_768,
    )

    assert text.count("more lines were cut: the build's log has them.") == 2
    assert "## chatbot-dev: 300 to change" in text
    assert "## chatbot-prod: 300 to change" in text


def test_more_destroys_than_any_comment_holds_are_counted() -> None:
    """The first are named, the rest counted, and the number stands on top."""
    lost = [change(f"aws_sqs_queue.{'long' * 20}{index}", "delete") for index in range(3_000)]

    text = compose([review("chatbot-dev", *lost)], head=HEAD, foot=FOOT, limit=CodeCommit.limit)

    assert "- chatbot-dev: 3000 to destroy" in text
    assert "more lines were cut" in text
    assert len(text.encode()) <= CodeCommit.limit


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=300)), max_size=30), st.integers(1_500, 12_000))
def test_whatever_a_branch_names_its_things_the_comment_keeps_its_limit_and_its_blocks(
    things: list[tuple[str, str]], limit: int
) -> None:
    """Names and values are a stranger's: nothing of them stands outside of a block, whatever is cut."""
    changes = [
        change(f"aws_sqs_queue.{name}", "delete", before={"a": value}, after=None)
        if index % 2
        else change(f"aws_sqs_queue.{name}", "update", before={}, after={"a": f"@everyone {value}"})
        for index, (name, value) in enumerate(things)
    ]

    text = compose([review("chatbot-dev", *json.loads(json.dumps(changes)))], head=HEAD, foot=FOOT, limit=limit)

    assert len(text.encode()) <= limit
    outside, fence = [], ""
    for line in text.splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if len(ticks) >= 3 and (not fence or ticks == fence):
            fence = "" if fence else ticks
        elif not fence:
            # Names stand in code within a line too, which nothing inside of it ends.
            outside.append(re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", line))
    assert not fence
    assert "@everyone" not in "\n".join(outside)
    assert "aws_sqs_queue" not in "\n".join(outside)


@pytest.mark.parametrize("end", ["\n", "\r", "\v", "\x85", "\u2028", "\u2029"])
def test_no_kind_of_line_end_leads_out_of_a_block(end: str) -> None:
    """Unicode has seven; whoever splits lines by all of them must find none in a name or a value."""
    breaking = change("aws_sqs_queue.q", "update", before={}, after={"a": f"x{end}```{end}@everyone"})
    lost = change(f"aws_sqs_queue.q{end}@everyone", "delete")

    text = compose([review("chatbot-dev", breaking, lost)], head=HEAD, foot=FOOT, limit=GitHub.limit)

    assert text.splitlines() == text.split("\n")
    assert not [line for line in text.splitlines() if line.startswith(("@", "```@"))]


def test_a_block_that_is_cut_is_closed() -> None:
    """Else all that follows would stand inside of it."""
    text = cut("# a\n\n````diff\n" + "line\n" * 100 + "````\n", 200)

    assert text.splitlines()[-3] == "````"
    assert len(text.encode()) <= 200


@pytest.mark.parametrize("limit", LIMITS)
def test_neither_long_problems_nor_many_stacks_make_a_comment_too_long(limit: int) -> None:
    """What could not be planned is a branch's to say, at any length: what is destroyed is named beside it."""
    head = "\n".join(["## Parley\n\n```diff", *("! no such table".ljust(300, "x") for _ in range(2000)), "```"])
    many = [review(f"stack-{index}") for index in range(5000)]

    lost = review("chatbot-dev", change("aws_sqs_queue.q", "delete"))
    text = compose([lost, *many], head=head, foot=FOOT, limit=limit)

    assert len(text.encode()) <= limit
    assert text.startswith("## Parley\n\n```diff\n! no such table")
    assert "- chatbot-dev: 1 to destroy" in text
    assert "- chatbot-dev: aws_sqs_queue.q" in text
    assert text.endswith(FOOT)
