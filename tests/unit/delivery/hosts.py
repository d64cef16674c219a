"""GitHub and Bitbucket on loopback: the part of their REST APIs that comments need, as their pages document it."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

TOKEN = "tok-e17c0ffee"
HEAD = "a" * 40
ME, STRANGER = 1001, 2002
GITHUB_LIMIT = 65_536
BITBUCKET_PAGE, GITHUB_PAGE = 10, 30


@dataclass
class Note:
    """One comment."""

    id: int
    author: int
    text: str
    deleted: bool = False
    inline: bool = False


@dataclass
class Host:
    """What either service keeps of pull request 7 of acme/bot, and what it is to answer instead, once."""

    notes: list[Note] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    head: str = HEAD
    is_open: bool = True
    fork: str | None = ""
    """The repository that the branch lies in: this one unless named, ``None`` once it was deleted."""
    instead: dict[str, list[Response]] = field(default_factory=dict)
    before_listing: list[Callable[[], None]] = field(default_factory=list)
    edits: int = 0

    def write(self, author: int, text: str, **marks: bool) -> Note:
        """Add a comment."""
        self.notes.append(Note(len(self.notes) + 1, author, text, **marks))
        return self.notes[-1]

    def texts(self, author: int = ME) -> list[str]:
        """Return what ``author`` says on the pull request."""
        return [note.text for note in self.notes if note.author == author and not note.deleted]

    def handled(self, request: Request) -> Response | None:
        """Return what is to be answered instead of the usual."""
        return self.instead[key].pop(0) if self.instead.get(key := f"{request.method} {request.path}") else None

    def listed(self) -> list[Note]:
        """Return the comments; what happens at that very moment happens first."""
        if self.before_listing:
            self.before_listing.pop(0)()
        return [note for note in self.notes if not note.deleted]


def answer(status: int, document: Any = None, **headers: str) -> Response:
    """A response with a JSON body."""
    body = b"" if document is None else json.dumps(document)
    return Response(
        body,
        status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        content_type="application/json",
    )


def github(host: Host) -> Callable[[Request], Response]:
    """https://docs.github.com/en/rest — issues/comments, pulls, commits/statuses and users."""

    def issue_comments(request: Request) -> Response:
        # https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        size, page = int(request.args.get("per_page", GITHUB_PAGE)), int(request.args.get("page", 1))
        notes = host.listed()
        shown = notes[(page - 1) * size : page * size]
        more = len(notes) > page * size
        link = f'<{request.base_url}?per_page={size}&page={page + 1}>; rel="next"'
        return answer(200, [_github_note(note) for note in shown], **({"Link": link} if more else {}))

    def create(request: Request) -> Response:
        text = request.get_json()["body"]
        if len(text) > GITHUB_LIMIT:
            return answer(422, {"message": "Validation Failed: body is too long (maximum is 65536 characters)"})
        return answer(201, _github_note(host.write(ME, text)))

    def change(request: Request) -> Response:
        note = _find(host, request)
        if note is None:
            return answer(404, {"message": "Not Found"})
        if request.method == "DELETE":
            note.deleted = True
            return answer(204)
        note.text, host.edits = request.get_json()["body"], host.edits + 1  # a maintainer may edit anyone's
        return answer(200, _github_note(note))

    def status(request: Request) -> Response:
        body = request.get_json()
        assert body["state"] in ("error", "failure", "pending", "success")
        assert len(body["description"]) <= 140
        host.statuses.append(body | {"sha": request.path.rpartition("/")[2]})
        return answer(201, body)

    repository = {"id": 1, "full_name": "acme/bot"}
    fork = {"id": 2, "full_name": host.fork} if host.fork else None
    pull = {
        "state": "open" if host.is_open else "closed",
        "head": {"sha": host.head, "repo": repository if host.fork == "" else fork},
        "base": {"repo": repository},
    }
    routes: dict[str, Callable[[Request], Response]] = {
        r"GET /user": lambda _: answer(200, {"id": ME, "login": "parley-bot"}),
        r"GET /repos/acme/bot/pulls/7": lambda _: answer(200, pull),
        r"GET /repos/acme/bot/issues/7/comments": issue_comments,
        r"POST /repos/acme/bot/issues/7/comments": create,
        r"(PATCH|DELETE) /repos/acme/bot/issues/comments/\d+": change,
        r"POST /repos/acme/bot/statuses/[0-9a-f]{40}": status,
    }
    return _application(host, routes, lambda request: request.headers.get("Authorization") == f"Bearer {TOKEN}")


def bitbucket(host: Host, authorization: str = f"Bearer {TOKEN}") -> Callable[[Request], Response]:
    """https://developer.atlassian.com/cloud/bitbucket/rest/ — pullrequests, commit statuses and users."""
    root = r"/repositories/acme/bot"

    def comments(request: Request) -> Response:
        # https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination
        size, page = int(request.args.get("pagelen", BITBUCKET_PAGE)), int(request.args.get("page", 1))
        host.listed()
        document: dict[str, Any] = {
            "values": [_bitbucket_note(note) for note in host.notes][(page - 1) * size :][:size]
        }
        if len(host.notes) > page * size:
            document["next"] = f"{request.base_url}?pagelen={size}&page={page + 1}"
        return answer(200, document | {"pagelen": size, "page": page})

    def create(request: Request) -> Response:
        return answer(201, _bitbucket_note(host.write(ME, request.get_json()["content"]["raw"])))

    def change(request: Request) -> Response:
        note = _find(host, request)
        if note is None or note.author != ME:
            return answer(403, {"type": "error", "error": {"message": "You may not edit this comment"}})
        if request.method == "DELETE":
            note.deleted = True
            return answer(204)
        note.text, host.edits = request.get_json()["content"]["raw"], host.edits + 1
        return answer(200, _bitbucket_note(note))

    def status(request: Request) -> Response:
        body = request.get_json()
        assert body["state"] in ("SUCCESSFUL", "FAILED", "INPROGRESS", "STOPPED")
        assert len(body["key"]) <= 40
        assert body["url"]
        host.statuses.append(body | {"sha": request.path.split("/")[-3]})
        return answer(201, body)

    repository = {"uuid": "{1}", "full_name": "acme/bot"}
    fork = {"uuid": "{2}", "full_name": host.fork} if host.fork else None
    pull = {
        "state": "OPEN" if host.is_open else "MERGED",
        "source": {"commit": {"hash": host.head[:12]}, "repository": repository if host.fork == "" else fork},
        "destination": {"repository": repository},
    }
    routes: dict[str, Callable[[Request], Response]] = {
        r"GET /user": lambda _: answer(200, {"uuid": f"{{{ME}}}"}),
        rf"GET {root}/pullrequests/7": lambda _: answer(200, pull),
        rf"GET {root}/pullrequests/7/comments": comments,
        rf"POST {root}/pullrequests/7/comments": create,
        rf"(PUT|DELETE) {root}/pullrequests/7/comments/\d+": change,
        rf"POST {root}/commit/[0-9a-f]{{40}}/statuses/build": status,
    }
    return _application(host, routes, lambda request: request.headers.get("Authorization") == authorization)


def _application(
    host: Host, routes: dict[str, Callable[[Request], Response]], admits: Callable[[Request], bool]
) -> Callable[[Request], Response]:
    def application(request: Request) -> Response:
        if (instead := host.handled(request)) is not None:
            return instead
        if not admits(request):
            return answer(401, {"message": "Bad credentials"})
        for route, view in routes.items():
            if re.fullmatch(route, f"{request.method} {request.path}"):
                return view(request)
        return answer(404, {"message": "Not Found"})

    return application


def _find(host: Host, request: Request) -> Note | None:
    number = int(request.path.rpartition("/")[2])
    return next((note for note in host.notes if note.id == number and not note.deleted), None)


def _github_note(note: Note) -> dict[str, Any]:
    return {"id": note.id, "body": note.text, "user": {"id": note.author, "login": f"user-{note.author}"}}


def _bitbucket_note(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "content": {"raw": "" if note.deleted else note.text},
        "user": {"uuid": f"{{{note.author}}}"},
        "deleted": note.deleted,
        **({"inline": {"path": "main.py"}} if note.inline else {}),
    }


@contextmanager
def serving(application: Callable[[Request], Response]) -> Iterator[str]:
    """Serve ``application`` on loopback; yields its address."""

    def entry(environ: Any, start: Any) -> Any:
        return application(Request(environ))(environ, start)

    server = make_server("127.0.0.1", 0, entry, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
