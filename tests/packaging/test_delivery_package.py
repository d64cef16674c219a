"""Packaging a miniature project with real pip, wheels made on the spot, and no package index."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from delivery.vendor import AWS_SERVICES

ROOT = Path(__file__).parents[2]
LEARN = """
import pathlib, sys
folder, output = map(pathlib.Path, sys.argv[1:])
output.write_text("".join(path.read_text() for path in sorted(folder.glob("*.md"))))
"""


@dataclass(frozen=True)
class Miniature:
    """A project with one dependency, and what a person types in it."""

    folder: Path
    wheels: Path

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def lock(self, *wheels: Path) -> None:
        """Lock these wheels for the function and for delivery."""
        packages = {
            wheel.name.split("-")[0]: {
                "version": f"=={wheel.name.split('-')[1]}",
                "hashes": [f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"],
            }
            for wheel in wheels
        }
        self.write("Pipfile.lock", json.dumps({"_meta": {}, "lambda": packages, "delivery": packages}))

    def start(self, *options: str) -> "subprocess.Popen[str]":
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "CODEBUILD_"))}
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        environment = mine | pip | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "delivery", "package", *options]
        return subprocess.Popen(command, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True)

    def package(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Package, and wait for it."""
        process = self.start(*options)
        _, said = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, "", said)

    @property
    def zip(self) -> bytes:
        return (self.folder / "build" / "lambda.zip").read_bytes()

    @property
    def names(self) -> list[str]:
        with zipfile.ZipFile(self.folder / "build" / "lambda.zip") as archive:
            return archive.namelist()


def wheel(folder: Path, name: str = "greet", tag: str = "py3-none-any", **files: str) -> Path:
    """Make a wheel with these further files. https://packaging.python.org/specifications/binary-distribution-format/"""
    info = f"{name}-1.0.dist-info"
    content = {
        f"{name}/__init__.py": "WORD = 'hello'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/licenses/LICENSE": "Anyone may.\n",
        **files,
    }
    digests = {
        path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        for path, text in content.items()
    }
    content[f"{info}/RECORD"] = "".join(f"{path},sha256={found},\n" for path, found in digests.items())
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in content.items():
            archive.writestr(file, text)
    return path


def miniature(folder: Path, **files: str) -> Miniature:
    """Make a project in ``folder``."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    project = Miniature(folder, wheels)
    project.lock(wheel(wheels, **files))
    project.write("lambda/chatbot/__init__.py", "")
    project.write("lambda/chatbot/handler.py", "from greet import WORD\n")
    project.write("lambda/chatbot/page.html", "<html></html>")
    project.write("lambda/chatbot/learn.py", LEARN)
    project.write("lambda/chatbot/serve/__init__.py", "")
    project.write("lambda/chatbot/openapi.py", 'print(\'{"openapi": "3.0.1"}\')')
    project.write("knowledge/about.md", "# About\n")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Miniature:
    return miniature(tmp_path / "project", **{"greet/tests/test_it.py": "", "greet/py.typed": "", "bin/tool": ""})


def test_the_zip_holds_what_runs_and_no_more(project: Miniature, tmp_path: Path) -> None:
    """Sources, index, dependencies, licences and byte-code: neither tools nor tests nor stubs."""
    done = project.package()

    assert done.returncode == 0, done.stderr
    code = "__pycache__/{}.cpython-313.pyc"
    assert project.names == sorted(
        [
            *("chatbot/__init__.py", "chatbot/handler.py", "chatbot/openapi.py"),
            *(f"chatbot/{code.format(name)}" for name in ("__init__", "handler", "openapi")),
            *("chatbot/knowledge.index", "chatbot/page.html", "chatbot/release.txt"),
            *("greet/__init__.py", f"greet/{code.format('__init__')}"),
            *("greet-1.0.dist-info/METADATA", "greet-1.0.dist-info/licenses/LICENSE"),
        ]
    )
    assert json.loads((project.folder / "build" / "openapi.json").read_text()) == {"openapi": "3.0.1"}
    unpacked = tmp_path / "task"
    with zipfile.ZipFile(project.folder / "build" / "lambda.zip") as archive:
        archive.extractall(unpacked)
    # Byte-code is believed without a look at its source: that is what makes the first start fast.
    (unpacked / "greet" / "__init__.py").write_text("WORD = 'source'\n")
    run = [sys.executable, "-c", "import chatbot.handler as it; print(it.WORD)"]
    assert subprocess.run(run, cwd=unpacked, capture_output=True, text=True, check=True).stdout == "hello\n"


def test_the_same_sources_give_the_same_bytes(project: Miniature, tmp_path: Path) -> None:
    """Neither the folder, nor the time, nor the files' times and modes can be told from the zip."""
    other = miniature(
        tmp_path / "quite" / "elsewhere", **{"greet/tests/test_it.py": "", "greet/py.typed": "", "bin/tool": ""}
    )
    (project.folder / "Pipfile.lock").write_text((other.folder / "Pipfile.lock").read_text())
    for path in project.wheels.iterdir():
        path.write_bytes((other.wheels / path.name).read_bytes())
    for path in (other.folder / "lambda").rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o600)

    assert (project.package().returncode, other.package().returncode) == (0, 0)

    assert project.zip == other.zip


def test_byte_code_that_was_tidied_away_is_made_again(project: Miniature) -> None:
    """Else the same commit would be another zip, which starts in twice the time."""
    assert project.package().returncode == 0
    before = project.zip
    for folder in (project.folder / "build").rglob("__pycache__"):
        shutil.rmtree(folder)
    (project.folder / "build" / "lambda.zip").unlink()

    assert project.package().returncode == 0

    assert project.zip == before


def test_nothing_is_done_twice(project: Miniature) -> None:
    """Unchanged inputs need neither network nor time; a changed one gives a new zip, from cached dependencies."""
    project.package()
    first = project.zip
    made = (project.folder / "build" / "lambda.zip").stat().st_mtime_ns
    for path in project.wheels.iterdir():
        path.unlink()

    assert project.package().returncode == 0
    assert (project.folder / "build" / "lambda.zip").stat().st_mtime_ns == made

    project.write("knowledge/more.md", "# More\n")
    assert project.package().returncode == 0
    changed = project.zip
    assert changed != first

    (project.folder / "build" / "lambda.zip").write_bytes(b"damaged")
    assert project.package().returncode == 0
    assert project.zip == changed


@pytest.mark.parametrize("variable", ["PYTHONPYCACHEPREFIX", "PYTHONOPTIMIZE"])
def test_where_a_person_s_python_keeps_its_byte_code_is_no_matter(
    project: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Dependencies that are there need no network."""
    monkeypatch.setenv(variable, {"PYTHONOPTIMIZE": "1"}.get(variable, str(tmp_path / "elsewhere")))
    assert project.package().returncode == 0
    for path in project.wheels.iterdir():
        path.unlink()
    project.write("knowledge/more.md", "# More\n")

    done = project.package()

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("nowhere"), lambda path: path.mkdir()])
def test_knowledge_that_is_no_file_is_not_passed_over(project: Miniature, make: Callable[[Path], None]) -> None:
    """Nor is what was built before taken for the answer, although no file has changed."""
    project.package()

    make(project.folder / "knowledge" / "gone.md")

    done = project.package()
    assert done.returncode == 1
    assert "gone.md" in done.stderr.splitlines()[-1]


def test_two_at_once_do_not_disturb_each_other(project: Miniature) -> None:
    """Synthesis and a person may package at the same moment."""
    both = [project.start("--with-delivery"), project.start("--with-delivery")]

    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert zipfile.ZipFile(project.folder / "build" / "lambda.zip").testzip() is None
    assert not [
        path.name for path in (project.folder / "build").iterdir() if path.name.startswith((".staging", ".delivery"))
    ]


def test_delivery_and_the_release_travel_with_the_build(project: Miniature) -> None:
    """Later stages import from build/delivery alone, and read what was built from release.json."""
    done = project.package("--with-delivery")

    assert done.returncode == 0, done.stderr
    run = [sys.executable, "-S", "-c", "import greet; print(greet.WORD)"]
    environment = {"PYTHONPATH": str(project.folder / "build" / "delivery")}
    assert subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout == "hello\n"
    release = json.loads((project.folder / "build" / "release.json").read_text())
    assert release["lambda_sha256"] == hashlib.sha256(project.zip).hexdigest()
    with zipfile.ZipFile(project.folder / "build" / "lambda.zip") as archive:
        assert archive.read("chatbot/release.txt").decode() == release["release"]
    assert release["terraform_version"] == "1.11.4"


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of the refusal; signs of life may stand before it where it took long."""
    return done.stderr.splitlines()[-1]


def test_native_code_is_refused_by_name(project: Miniature) -> None:
    """It would run on the machine that built it, and not on the function's arm64."""
    project.lock(wheel(project.wheels, "quick", **{"quick/_quick.so": "ELF"}))
    hidden = project.package()
    project.lock(wheel(project.wheels, "binary", tag="cp313-cp313-manylinux_2_17_x86_64"))
    tagged = project.package()

    assert said(hidden) == (
        "quick-1.0 holds native code (quick/_quick.so), which may not run on arm64: choose a pure-Python package"
    )
    assert said(tagged).startswith(
        "binary==1.0 cannot be installed: the package index offers no pure-Python wheel of it"
    )
    assert (hidden.returncode, tagged.returncode) == (1, 1)
    assert not (project.folder / "build" / "lambda.zip").exists()


def test_a_package_with_another_hash_is_refused(project: Miniature) -> None:
    """What was locked is what ships."""
    wheel(project.wheels, "greet", **{"greet/more.py": ""})
    done = project.package()

    assert done.returncode == 1
    assert said(done) == "greet==1.0 does not match its hash in Pipfile.lock; nothing was installed"


@pytest.mark.parametrize(
    ("name", "text", "code", "refusal"),
    [
        (
            "lambda/chatbot/learn.py",
            "import sys; sys.exit('about.md: no title')",
            1,
            "chatbot.learn failed: about.md: no",
        ),
        ("lambda/chatbot/openapi.py", "raise ValueError('twice')", 1, "chatbot.openapi failed: ValueError: twice"),
        ("lambda/chatbot/handler.py", "def (", 1, "does not compile"),
        ("Pipfile.lock", "{}", 2, "has no category 'lambda'"),
        ("Pipfile.lock", '{"lambda": {"x": {"path": "."}}}', 2, "pins no version and hashes of x"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(project: Miniature, name: str, text: str, code: int, refusal: str) -> None:
    """Never a traceback, and never half a package."""
    project.write(name, text)
    done = project.package()

    assert refusal in said(done)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert not (project.folder / "build" / "lambda.zip").exists()


def test_a_mistyped_command_is_answered_in_one_line(tmp_path: Path) -> None:
    """With the way to the help, and exit code 2."""
    done = Miniature(tmp_path, tmp_path).package("--with-everything")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith("see .venv/bin/python -m delivery --help\n")


def test_outside_of_a_project_it_says_so(tmp_path: Path) -> None:
    """The commonest mistake is the wrong folder."""
    done = Miniature(tmp_path, tmp_path).package()

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "run this in the project's folder" in done.stderr


def test_every_service_that_delivery_asks_is_shipped_with_it() -> None:
    """In the pipeline, a client of any other finds no description of its service."""
    sources = [path.read_text() for path in (ROOT / "delivery").rglob("*.py")]
    asked = {name for source in sources for name in re.findall(r'\bclient\("([a-z0-9-]+)"', source)}

    assert {"codepipeline", "codecommit"} <= asked <= set(AWS_SERVICES["delivery"])
