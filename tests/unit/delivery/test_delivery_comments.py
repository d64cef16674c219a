"""Comments on pull requests: one, ours, in place, on services that answer as their pages say."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from werkzeug.wrappers import Response

from delivery.comments import Service, State, Status, publish
from delivery.comments.bitbucket import Bitbucket
from delivery.comments.github import GitHub
from delivery.errors import DeliveryError, UsageError
from tests.unit.delivery.hosts import HEAD, ME, STRANGER, TOKEN, Host, Note, answer, bitbucket, github, serving

logging.getLogger("werkzeug").setLevel(logging.ERROR)
MARKER = "parley: review"
STATUS = Status("parley/review", State.SUCCESS, "dev: 1 to add", "https://example.org/build")


@dataclass
class Setting:
    """A service with our client of it."""

    kind: str
    address: str
    host: Host = field(default_factory=Host)

    def client(self, token: str = TOKEN) -> Service:
        """A fresh client, as every build has one."""
        kind = {"github": GitHub, "bitbucket": Bitbucket}[self.kind]
        return kind("acme/bot", "7", token, self.address)

    def publish(self, text: str = "dev: 1 to add", commit: str = HEAD) -> None:
        """Publish a review."""
        publish(self.client(), marker=MARKER, text=text, commit=commit, status=STATUS)

    @property
    def comments(self) -> str:
        """The path that comments are listed and added at."""
        return {
            "github": "/repos/acme/bot/issues/7/comments",
            "bitbucket": "/repositories/acme/bot/pullrequests/7/comments",
        }[self.kind]

    @property
    def pull(self) -> str:
        """The path that the pull request is at."""
        return self.comments.replace("issues", "pulls").removesuffix("/comments")


@pytest.fixture(params=["github", "bitbucket"])
def service(request: pytest.FixtureRequest) -> Iterator[Setting]:
    """Each service in turn."""
    host = Host()
    application = {"github": github, "bitbucket": bitbucket}[request.param]
    with serving(lambda it: application(host)(it)) as address:
        yield Setting(request.param, address, host)


def test_every_push_brings_the_one_comment_up_to_date(service: Setting) -> None:
    """However many pushes: one comment, with the newest text below a line that readers do not see."""
    for number in range(3):
        service.publish(f"dev: {number} to add")

    (text,) = service.host.texts()
    first, _, rest = text.partition("\n\n")
    assert rest == "dev: 2 to add"
    assert first in ("<!-- parley: review -->", '[//]: # "parley: review"')


def test_the_comment_is_found_behind_hundreds_of_others(service: Setting) -> None:
    """Pages are followed to the end."""
    service.publish("first")
    ours = service.host.notes.pop()
    for number in range(250):
        service.host.write(STRANGER, f"me too ({number})")
    ours.id = len(service.host.notes) + 1
    service.host.notes.append(ours)

    service.publish("second")

    assert [text.rpartition("\n")[2] for text in service.host.texts()] == ["second"]


def test_a_strangers_comment_with_our_marker_is_left_alone(service: Setting) -> None:
    """Whoever copies our marker gets nothing published in their name, and hides nothing of ours."""
    theirs = service.host.write(STRANGER, f"{service.client().hidden(MARKER)}\n\nNothing to see here")
    service.publish("dev: 9 to destroy")

    assert theirs.text.endswith("Nothing to see here")
    assert [text.rpartition("\n")[2] for text in service.host.texts()] == ["dev: 9 to destroy"]


def test_our_other_comments_are_left_alone(service: Setting) -> None:
    """The account may speak for itself too, even of our marker."""
    service.host.write(ME, f"I quote: {service.client().hidden(MARKER)}")

    service.publish()

    assert len(service.host.texts()) == 2


def test_a_comment_that_says_so_already_is_not_edited(service: Setting) -> None:
    """An edit marks a comment as edited, and may notify its readers."""
    service.publish()
    service.publish()

    assert service.host.edits == 0


def test_two_builds_at_once_end_with_one_comment(service: Setting) -> None:
    """Both found none and added one: the older of them stays, with the newer text."""
    host = service.host

    def the_other_was_first() -> None:
        ours = host.notes.pop()
        host.write(ME, f"{service.client().hidden(MARKER)}\n\nfrom the other build")
        host.write(ME, ours.text)

    host.before_listing = [lambda: None, the_other_was_first]

    service.publish("from this build")

    assert [text.rpartition("\n")[2] for text in host.texts()] == ["from this build"]
    assert len(host.notes) == 2


def test_an_older_commits_review_does_not_overwrite_the_newers(
    service: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slow build ends after the next one: its commit gets its status, the comment stays."""
    service.publish("new")
    service.publish("old", commit="b" * 40)

    assert [text.rpartition("\n")[2] for text in service.host.texts()] == ["new"]
    assert [status["sha"] for status in service.host.statuses] == [HEAD, "b" * 40]
    assert "bbbbbbbbbbbb is not what the pull request stands at" in capsys.readouterr().err


def test_a_closed_pull_request_gets_no_comment(service: Setting) -> None:
    """It was merged while the build ran."""
    service.host.is_open = False

    service.publish()

    assert service.host.texts() == []


@pytest.mark.parametrize(("fork", "is_fork"), [("", False), ("stranger/bot", True), (None, True)])
def test_a_branch_of_another_repository_is_told_from_one_of_this(
    service: Setting, fork: str | None, is_fork: bool
) -> None:
    """Also of a repository that was deleted since."""
    service.host.fork = fork

    assert service.client().standing().is_fork is is_fork


HERE = {"id": 1, "uuid": "{1}"}


def pull(here: object, there: object, **parts: object) -> dict[str, object]:
    """A pull request in the words of either service, from the repository ``there`` to ``here``."""
    return {
        "state": "open",
        "head": {"sha": HEAD, "repo": there},
        "base": {"repo": here},
        "source": {"commit": {"hash": HEAD}, "repository": there},
        "destination": {"repository": here},
    } | parts


@pytest.mark.parametrize(
    ("here", "there"), [(HERE, {}), ({"id": None, "uuid": None}, {"id": None, "uuid": None}), (HERE, None)]
)
def test_a_branch_whose_repository_cannot_be_told_is_a_forks(service: Setting, here: object, there: object) -> None:
    """Two ids that are missing are not the same one."""
    service.host.instead = {f"GET {service.pull}": [answer(200, pull(here, there))]}

    assert service.client().standing().is_fork


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, pull(None, HERE), pull(HERE, HERE, head=None, source=None), pull({}, HERE)]
)
def test_an_answer_of_another_form_is_one_clear_line(service: Setting, document: object) -> None:
    """Wherever it comes in: what is asked of the pull request, of ourselves, or of the comments."""
    service.host.instead = {f"GET {service.pull}": [answer(200, document)]}
    with pytest.raises(DeliveryError, match=r"^\w+ answered about the pull request in a form that is not known here"):
        service.client().standing()

    service.host.instead = {"GET /user": [answer(200, document)]}
    service.host.write(STRANGER, "me too")
    with pytest.raises(DeliveryError, match=r"^\w+ answered about the token's user in a form that is not known here"):
        service.publish()

    service.host.instead = {f"GET {service.comments}": [answer(200, [document] if document == {} else "odd")]}
    with pytest.raises(DeliveryError, match=r"^\w+ answered about the comments in a form that is not known here"):
        service.publish()


def test_pages_that_lead_back_are_not_followed_for_ever() -> None:
    """A list whose next page is itself."""
    host = Host()
    with serving(lambda it: github(host)(it)) as address:
        path = "/repos/acme/bot/issues/7/comments"
        round_ = answer(200, [], Link=f'<{address}{path}?per_page=100>; rel="next"')
        host.instead = {f"GET {path}": [round_] * 50}
        with pytest.raises(DeliveryError, match="GitHub's pages lead back to one that was read"):
            list(GitHub("acme/bot", "7", TOKEN, address).comments())


USED_UP = b'{"message": "API rate limit exceeded"}'


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (Response(USED_UP, 403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 30}), "is used up"),
        (Response(USED_UP, 403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "²"}), "is used up"),
        (Response(b"[" * 100_000), "answered no JSON to GET"),
        (Response(b"<html>sign in", content_type="text/html"), "answered no JSON to GET"),
        (Response(b"[]", headers={"Link": '<http://[::1>; rel="next"'}), "leads to what is no address"),
    ],
)
def test_what_no_service_should_answer_is_one_clear_line(response: Response, said: str) -> None:
    """A limit that ends in no year there is, a document without an end, a page that lies nowhere."""
    host = Host()
    with serving(lambda it: github(host)(it)) as address:
        host.instead = {"GET /repos/acme/bot/issues/7/comments": [response]}
        with pytest.raises(DeliveryError, match=f"^GitHub.*{said}"):
            list(GitHub("acme/bot", "7", TOKEN, address).comments())


def test_the_commit_gets_a_status(service: Setting) -> None:
    """It links to the build, under one context for all commits."""
    service.publish()

    (status,) = service.host.statuses
    assert status["description"] == "dev: 1 to add"
    assert (status.get("context") or status["key"]) == "parley/review"
    assert (status.get("target_url") or status["url"]) == "https://example.org/build"
    assert status["state"] in ("success", "SUCCESSFUL")


def test_what_nobody_could_read_gets_no_verdict(service: Setting) -> None:
    """A commit whose comment was refused is not one that was reviewed."""
    service.host.instead[f"POST {service.comments}"] = [answer(403, {"message": "locked"})]
    with pytest.raises(DeliveryError, match=r"\(403\)"):
        service.publish()

    assert service.host.statuses == []


def test_a_wrong_token_is_one_clear_line_without_the_token(service: Setting) -> None:
    """Where to put a right one, and not what the wrong one was."""
    with pytest.raises(DeliveryError) as caught:
        publish(service.client("wrong-secret"), marker=MARKER, text="x", commit=HEAD, status=STATUS)

    assert str(caught.value).endswith(
        "it takes no such token (401): put a valid one into the secret that settings name"
    )
    assert "wrong-secret" not in repr(caught.value) + repr(caught.value.__cause__) + repr(vars(service.client("x")))


def test_a_service_that_repeats_what_it_was_sent_does_not_bring_the_token_into_a_log(service: Setting) -> None:
    """Some proxies answer with the whole request."""
    sent = {"message": f"refused: Authorization: Bearer {TOKEN}; {TOKEN}"}
    service.host.instead[f"GET {service.comments}"] = [answer(400, sent)]
    with pytest.raises(DeliveryError) as caught:
        service.publish()

    assert "refused: Authorization: Bearer …; …" in str(caught.value)


def test_what_is_not_there_or_not_allowed_is_one_clear_line(service: Setting) -> None:
    """404 and 403 both name what the token needs."""
    path = service.comments
    for status in (404, 403):
        service.host.instead[f"GET {path}"] = [answer(status, {"message": "no\x1b[31m way\n"})]
        with pytest.raises(DeliveryError) as caught:
            service.publish()
        assert f"({status})" in str(caught.value)
        assert "needs" in str(caught.value)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("status", [429, 502, 503])
def test_what_passes_is_waited_for(service: Setting, status: int) -> None:
    """A limit of rate, or a service that restarts, costs no review."""
    service.host.instead[f"POST {service.comments}"] = [answer(status, {"message": "slow down"}, Retry_After="0")]

    service.publish()

    assert len(service.host.texts()) == 1


def test_a_post_that_was_heeded_though_it_failed_leaves_one_comment(service: Setting) -> None:
    """A gateway's 502 says nothing of what the service did behind it."""
    host = service.host

    def heeded() -> None:
        text = f"{service.client().hidden(MARKER)}\n\ndev: 1 to add"
        host.notes.insert(0, Note(99, ME, text))

    host.instead[f"POST {service.comments}"] = [answer(502)]
    host.before_listing = [lambda: None, heeded]

    service.publish()

    assert len(host.texts()) == 1


def test_githubs_secondary_limit_is_a_403_with_retry_after() -> None:
    """https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"""
    host = Host()
    limited = answer(403, {"message": "You have exceeded a secondary rate limit"}, Retry_After="0")
    host.instead["POST /repos/acme/bot/issues/7/comments"] = [limited]
    with serving(lambda it: github(host)(it)) as address:
        Setting("github", address, host).publish()

    assert len(host.texts()) == 1


def test_githubs_limit_that_ends_soon_is_waited_for_and_one_that_ends_late_is_named() -> None:
    """https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit"""
    host = Host()
    path = "POST /repos/acme/bot/issues/7/comments"

    def limited(seconds: int) -> None:
        reset = str(int(time.time()) + seconds)
        headers = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": reset}
        host.instead[path] = [answer(403, {"message": "API rate limit exceeded"}, **headers)]

    with serving(lambda it: github(host)(it)) as address:
        setting = Setting("github", address, host)
        limited(0)
        setting.publish()
        host.notes.clear()
        limited(3000)
        with pytest.raises(DeliveryError, match=r"rate limit is used up \(403\) until \d\d:\d\d UTC: run this again"):
            setting.publish()

    assert host.texts() == []


def test_a_next_page_on_another_host_is_not_followed() -> None:
    """The token goes to the service, and nowhere that an answer leads to."""
    host = Host()
    page = answer(200, [], Link='<https://elsewhere.example/steal>; rel="next"')
    host.instead["GET /repos/acme/bot/issues/7/comments"] = [page]
    with (
        serving(lambda it: github(host)(it)) as address,
        pytest.raises(DeliveryError, match=r"leads elsewhere \(elsewhere.example\)"),
    ):
        Setting("github", address, host).publish()


def test_a_repository_that_moved_is_named() -> None:
    """GitHub redirects requests for a renamed repository: https://docs.github.com/en/rest/using-the-rest-api"""
    host = Host()
    moved = answer(301, {"message": "Moved Permanently"}, Location="/repositories/1/statuses/x")
    host.instead[f"POST /repos/acme/bot/statuses/{HEAD}"] = [moved]
    with (
        serving(lambda it: github(host)(it)) as address,
        pytest.raises(DeliveryError, match=r"has moved \(301\): put the repository's new name into settings"),
    ):
        Setting("github", address, host).publish()


def test_a_token_is_sent_over_tls_only() -> None:
    """An address of one's own is https, or this machine."""
    with pytest.raises(UsageError, match="is not https"):
        GitHub("acme/bot", "7", TOKEN, "http://github.example")


def test_bitbucket_takes_an_api_token_with_its_email() -> None:
    """https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/ has them sent by Basic authentication."""
    host = Host()
    basic = "Basic Ym90QGFjbWUuZXhhbXBsZTpzM2NyZXQ="
    with serving(lambda it: bitbucket(host, basic)(it)) as address:
        client = Bitbucket("acme/bot", "7", "bot@acme.example:s3cret", address)
        publish(client, marker=MARKER, text="x", commit=HEAD, status=STATUS)

    assert len(host.texts()) == 1


def test_bitbuckets_comments_on_lines_and_deleted_ones_are_none_of_ours() -> None:
    """Both are listed with the others."""
    host = Host()
    line = '[//]: # "parley: review"'
    host.write(ME, f"{line}\n\non a line", inline=True)
    host.write(ME, f"{line}\n\ngone", deleted=True)
    with serving(lambda it: bitbucket(host)(it)) as address:
        Setting("bitbucket", address, host).publish("new")

    assert [note.text.rpartition("\n")[2] for note in host.notes] == ["on a line", "gone", "new"]
