"""What a stranger's build left, read: whatever it is, a comment comes of it, in our words and of our size."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.comments.hosting import service_of
from delivery.errors import DeliveryError, UsageError
from delivery.pull_request import WHOLE, Findings, _same
from delivery.reviewed import fingerprint, sentence
from delivery.reviewing import Build, _foot, _head, parse

COMMIT = "c" * 40
BUILD = Build("1-2-3", "7", COMMIT, "FAILED", "https://example.org/build")


def change(address: str, *actions: str, **details: Any) -> dict[str, Any]:
    """One entry of a plan's ``resource_changes``."""
    body = {"actions": list(actions), "before": None, "after": None} | details
    return {"address": address, "mode": "managed", "type": address.partition(".")[0], "change": body}


def plan(*changes: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A plan without its secrets."""
    return {"resource_changes": list(changes), "output_changes": {}} | parts


def written(**parts: Any) -> bytes:
    """What a build writes."""
    return json.dumps({"commit": "theirs", "plans": {}, "problems": {}, "notes": []} | parts).encode()


def test_the_commit_is_the_builds_and_not_the_files() -> None:
    """A branch cannot pass its plan off as another's."""
    assert parse(written(), COMMIT).commit == COMMIT


def test_names_and_lines_are_cut_to_what_a_comment_can_hold() -> None:
    """Strange names, endless lines and control characters."""
    found = parse(
        written(
            plans={"chatbot-dev": plan(), "@everyone": plan(), "../x": plan()},
            problems={"@everyone": ["\x1b[31mred\nline" * 100], WHOLE: [5, None]},
            notes=["n"] * 1000,
        ),
        COMMIT,
    )

    assert list(found.plans) == ["chatbot-dev"]
    assert list(found.problems) == ["a-stack-with-a-strange-name", WHOLE]
    assert all(line.isprintable() and len(line) <= 300 for lines in found.problems.values() for line in lines)
    assert len(found.notes) == 40


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"5",
        written(plans=[]),
        written(plans={"chatbot-dev": []}),
        written(plans={"chatbot-dev": {"resource_changes": [{}]}}),
        written(plans={"chatbot-dev": {"resource_changes": 5}}),
        written(plans={"chatbot-dev": {"resource_changes": [{"address": 1, "type": [], "change": {"actions": {}}}]}}),
        written(plans={"chatbot-dev": plan(change("aws_x.a", "update", importing="i-1"))}),
        written(problems={"": "no list"}),
        written(notes=5),
        b'{"plans": ' + b'{"a":' * 100_000,
        b'{"a": "\xff"}',
    ],
)
def test_what_is_no_finding_raises_what_its_reader_expects(content: bytes) -> None:
    """And nothing else: the reader turns these into one line of the comment."""
    with pytest.raises((ValueError, TypeError, AttributeError, KeyError, RecursionError)):
        parse(content, COMMIT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(json_values, json_values, json_values, json_values)
def test_no_form_of_it_raises_anything_else(plans: Any, body: Any, problems: Any, notes: Any) -> None:
    """Whatever stands in the file."""
    for parts in ({"plans": plans}, {"plans": {"chatbot-dev": {"resource_changes": [body]}}}, {"problems": problems}):
        with suppress(ValueError, TypeError, AttributeError, KeyError, RecursionError):
            parse(written(**parts, **({"notes": notes} if "plans" in parts else {})), COMMIT)


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_a_stack_beside_those_that_are_planned_is_read_as_a_file_of_its_own_only(tmp_path: Path, kind: str) -> None:
    """A link leads elsewhere, and a pipe that nobody writes into would be waited for until the build is too late."""
    ours, theirs = (tmp_path / side / "cdktf.out" / "stacks" / "pipeline" for side in ("ours", "theirs"))
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
    (ours / "cdk.tf.json").write_text("{}")
    own = theirs / "cdk.tf.json"
    own.write_text("{}")
    same = _same(ours, theirs)
    own.unlink()
    if kind == "link":
        own.symlink_to(ours / "cdk.tf.json")
    else:
        os.mkfifo(own)

    assert (same, _same(ours, theirs)) == (True, False)


def test_problems_stand_in_blocks_that_they_cannot_leave() -> None:
    """They are a stranger's words."""
    text = _head(Findings(COMMIT, problems={"chatbot-dev": ["```", "@everyone"]}, notes=["````` @all"]))

    assert "**`chatbot-dev` was not planned:**" in text
    outside = [line for line in text.splitlines() if not line.startswith("! ")]
    assert "@" not in "".join(outside)
    assert "[log](https://example.org/build)" in _foot(BUILD)


def test_the_fingerprint_is_that_of_what_changes_to_what() -> None:
    """Other values make another; what stays, and in which order they stand, do not."""
    base = change("aws_x.a", "update", before={"size": 1, "modified": "mon"}, after={"size": 2, "modified": "mon"})
    later = change("aws_x.a", "update", before={"size": 1, "modified": "tue"}, after={"size": 2, "modified": "tue"})
    other = change("aws_x.a", "update", before={"size": 1}, after={"size": 3})
    more = change("aws_x.b", "create", after={"size": 1})
    idle = change("aws_x.c", "no-op", before={"x": 1}, after={"x": 1})

    assert fingerprint(plan(base)) == fingerprint(plan(later)) == fingerprint(plan(base, idle))
    assert fingerprint(plan(base, more)) == fingerprint(plan(more, base))
    variants = [
        plan(base),
        plan(other),
        plan(base, more),
        plan(change("aws_x.a", "delete")),
        plan(change("aws_x.a", "delete", "create", after={"size": 2}, replace_paths=[["size"]])),
        plan(change("aws_x.a", "update", before={}, after={}, after_unknown={"size": True})),
        plan(change("aws_x.a", "no-op") | {"previous_address": "aws_x.z"}),
        plan(change("aws_x.a", "create", after={}, importing={"id": "i-1"})),
        plan(output_changes={"url": {"actions": ["create"], "before": None, "after": "x"}}),
        plan(),
    ]
    assert len({fingerprint(each) for each in variants}) == len(variants)


@pytest.mark.parametrize(
    ("made", "lie"),
    [
        ({}, {"type": "aws_sqs_queue"}),
        ({"after_sensitive": {"vars": True}}, {}),
        ({"before_sensitive": {"vars": True}}, {}),
        ({"before": {"vars": {"A": 0, "EVIL": 1}}}, {}),
    ],
)
def test_a_plan_that_was_made_up_to_show_less_is_not_the_one_that_follows(
    made: dict[str, Any], lie: dict[str, Any]
) -> None:
    """By a type that grades it lower, a mark that hides a value, or a value that it never had before."""
    body = {"before": {"vars": {"A": 0}}, "after": {"vars": {"A": 1, "EVIL": 1}}}
    true = change("aws_iam_role_policy.a", "update", **body)
    shown = change("aws_iam_role_policy.a", "update", **(body | made)) | lie

    assert fingerprint(plan(shown)) != fingerprint(plan(true))


def test_a_plan_that_changes_nothing_needs_no_review() -> None:
    """Nothing is looked up for it."""
    assert sentence("no-bucket", "chatbot-dev", plan()) == "It changes nothing, so there was nothing to review."


def test_a_service_without_a_token_and_an_unknown_one_are_refused() -> None:
    """Before anything is asked."""
    with pytest.raises(UsageError, match="REVIEW_TOKEN is empty: the secret that settings name has to hold a token"):
        service_of("GitHub", "acme/bot", "7", {"REVIEW_TOKEN": " "})
    with pytest.raises(UsageError, match="'GitLab' is not one of GitHub, Bitbucket, CodeCommit"):
        service_of("GitLab", "acme/bot", "7", {"REVIEW_TOKEN": "x"})
    with pytest.raises(DeliveryError, match="is not https"):
        service_of("GitHub", "acme/bot", "7", {"REVIEW_TOKEN": "x", "GITHUB_API_URL": "http://github.example"})
