"""A buildspec is read as CodeBuild documents it, and every mistake is told with its line."""

import pytest

from rehearsal.codebuild.buildspec import BuildspecError, Retry, parse

HEAD = "version: 0.2\n"


def read(text: str):
    """Parse ``text`` as a repository's own file."""
    return parse(HEAD + text, name="buildspec.yml")


def test_values_are_taken_as_they_are_written():
    """A version number, an octal or a yes stays the text that stands there."""
    spec = read("env:\n  variables: {A: 1.10, B: 010, C: yes, D: ''}\nphases: {}\n")
    assert spec.variables == {"A": "1.10", "B": "010", "C": "yes", "D": ""}


def test_a_whole_buildspec_is_read():
    """Every documented part ends up in its place."""
    spec = read(
        """
env:
  shell: bash
  parameter-store: {TOKEN: /demo/token}
  secrets-manager: {KEY: "demo:key"}
  exported-variables: [DIGEST]
phases:
  install:
    runtime-versions: {python: 3.13}
    commands: [a]
  build:
    on-failure: RETRY-2-timed? out
    commands: [b]
    finally: [c]
reports:
  unit: {files: ['**/*.xml'], base-directory: out}
artifacts:
  files: ['**/*']
  exclude-paths: ['.git/**/*']
  enable-symlinks: yes
  secondary-artifacts:
    other: {files: [x], discard-paths: yes}
cache:
  paths: [~/.cache/pip/**/*]
"""
    )
    assert (spec.shell, spec.exported, spec.parameter_store["TOKEN"]) == ("bash", ("DIGEST",), "/demo/token")
    assert spec.phases["install"].runtimes == {"python": "3.13"}
    assert spec.phases["build"].on_failure == Retry(2, "timed? out")
    assert spec.phases["build"].finally_ == ("c",)
    assert spec.reports[0].base_directory == "out"
    assert spec.artifact is not None
    assert spec.artifact.enable_symlinks
    assert spec.secondary_artifacts["other"].discard_paths
    assert spec.cache.paths == ("~/.cache/pip/**/*",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "phases:\n  build:\n    comands: [x]\n",
            'line 4: unknown key "comands" in phases.build, did you mean "commands"?',
        ),
        ("phases:\n  build:\n    commands:\n      - echo a: b\n", "line 5: phases.build.commands[0] must be one value"),
        ("phases:\n  build:\n    commands: make\n", "line 4: phases.build.commands must be a sequence"),
        ("phases: [\n", "line 3: no valid YAML"),
        ("phases: {}\nphases: {}\n", 'line 3: "phases" stands twice'),
        ("phases: {}\nbatch: {}\n", "line 3: the rehearsal does not emulate batch"),
        ("phases: {}\nproxy: {logs: yes}\n", "line 3: the rehearsal does not emulate proxy"),
        ("phases: {}\nrun-as: nobody\n", "line 3: the rehearsal does not emulate run-as"),
        (
            "phases:\n  build: {run-as: x, commands: [y]}\n",
            "line 3: the rehearsal does not emulate phases.build.run-as",
        ),
        ("env: {shell: powershell-core}\nphases: {}\n", 'line 2: env.shell is "powershell-core", write one of'),
        ("env: {exported-variables: [AWS_REGION]}\nphases: {}\n", "AWS_REGION cannot be exported"),
        ("env: {variables: {1A: x}}\nphases: {}\n", '"1A" in env is no variable\'s name'),
        ("env: {git-credential-helper: yes}\nphases: {}\n", "does not emulate env.git-credential-helper"),
        ("phases:\n  build: {on-failure: MAYBE, commands: [x]}\n", "write ABORT, CONTINUE, RETRY"),
        ("phases: {}\nreports: {a: {files: [x], file-format: NUNITXML}}\n", "reads JUNITXML and COBERTURAXML only"),
        ("phases: &a\n  build: *a\n", 'unknown key "build" in phases.build'),
        ("", 'the buildspec has no "phases", add it'),
    ],
)
def test_a_mistake_is_told_in_one_line(text: str, told: str):
    """The line names the file, where the mistake is, and what to do."""
    with pytest.raises(BuildspecError) as error:
        read(text)
    assert told in str(error.value)
    assert str(error.value).startswith("buildspec.yml")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "\x00", "a", "[]", "[" * 5_000, "version: 0.1\nphases: {}", "!!python/object:os.system {}", "? [a]\n: b"],
)
def test_nonsense_is_refused(text: str):
    """Whatever stands there, it is refused in words, never with a traceback."""
    with pytest.raises(BuildspecError, match=r"^buildspec\.yml"):
        parse(text, name="buildspec.yml")


def test_merge_keys_are_understood():
    """YAML anchors and merges work, as buildspecs use them."""
    spec = read(
        "phases:\n  pre_build: &b\n    commands: [x]\n    finally: [z]\n  build:\n    <<: *b\n    commands: [y]\n"
    )
    assert (spec.phases["build"].commands, spec.phases["build"].finally_) == (("y",), ("z",))
