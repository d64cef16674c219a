"""A build's world: what it sees, what it is given, what it leaves behind."""

import json
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from rehearsal import fulldisk
from rehearsal.codebuild import machine, runtimes
from rehearsal.codebuild.caches import CONTAINER_HOME, forget_drafts
from rehearsal.protocol import ServiceError
from tests.rehearsal.workshop import Workshop, workshop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory):
    """One workshop for the tests that do not mind each other."""
    with workshop(tmp_path_factory.mktemp("world")) as shop:
        yield shop


def zipped(path: Path, files: dict[str, str], **modes: int) -> Path:
    """Write a zip file; ``modes`` are by file name without its dots."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = modes.get(name.replace(".", ""), 0o100644) << 16
            archive.writestr(entry, text)
    return path


def names(archive: Path) -> list[str]:
    """Return what lies in ``archive``."""
    with zipfile.ZipFile(archive) as file:
        return sorted(file.namelist())


def test_nothing_of_the_caller_is_visible(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    """Neither the caller's credentials nor home folder nor other variables reach a build; its own role does."""
    monkeypatch.setenv("AWS_VAULT", "mine-alone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the caller's own")
    monkeypatch.setenv("SOMETHING", "else")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example.com/simple")
    monkeypatch.setenv("PIP_USER", "1")
    result = shop.run("version: 0.2\nphases: {build: {commands: [env, 'echo HOME is $(cd && pwd)']}}\n")
    seen = dict(line.split("=", 1) for line in shop.printed(result) if "=" in line)
    assert not {"AWS_VAULT", "SOMETHING", "VIRTUAL_ENV", "PIP_USER"} & seen.keys()
    assert seen["HOME"] != os.environ["HOME"]
    assert Path(seen["HOME"]).is_relative_to(shop.folder)
    assert seen["PIP_INDEX_URL"] == "https://index.example.com/simple"
    assert seen["AWS_ENDPOINT_URL"] == shop.cloud.endpoint
    assert (seen["CODEBUILD_CI"], seen["AWS_REGION"], seen["CI"]) == ("true", "eu-west-1", "true")
    assert seen["AWS_SECRET_ACCESS_KEY"] == "***"
    assert not [folder for folder in seen["PATH"].split(":") if (Path(folder).parent / "pyvenv.cfg").exists()][1:]
    assert "mine-alone" not in result.log.read_text()


def test_a_build_calls_aws_as_its_service_role(shop: Workshop):
    """What a build does, it does with its role's temporary credentials."""
    result = shop.run(
        """
        version: 0.2
        env: {exported-variables: [SESSION]}
        phases: {build: {commands: ['SESSION=$(printf %s "$AWS_SESSION_TOKEN" | wc -c)', 'echo "$AWS_ACCESS_KEY_ID"']}}
        """
    )
    assert int(result.exported["SESSION"]) > 100
    assert shop.printed(result) == ["***"]


def test_variables_come_from_everywhere_in_the_documented_order(shop: Workshop):
    """The action's win over the project's, the project's over the buildspec's; CODEBUILD_ ones cannot be replaced."""
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "x",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": [{"name": name, "value": "project"} for name in ("B", "C", "CODEBUILD_CI")],
    }
    result = shop.run(
        """
        version: 0.2
        env: {variables: {A: buildspec, B: buildspec, C: buildspec}}
        phases: {build: {commands: [echo $A $B $C $CODEBUILD_CI $CODEBUILD_PIPELINE]}}
        """,
        settings={"environment": environment},
        environment=[{"name": "C", "value": "action", "type": "PLAINTEXT"}],
        variables={"CODEBUILD_PIPELINE": "further"},
    )
    assert shop.printed(result) == ["buildspec project action true further"]


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ({"value": "x"}, 'Missing required parameter in [0]: "name"'),
        ({"name": "A", "value": "x", "type": "B"}, "A: type"),
    ],
)
def test_variables_of_no_known_shape_are_refused(shop: Workshop, variable: dict[str, str], told: str):
    """What a pipeline's JSON may hold by mistake starts no build."""
    with pytest.raises(ServiceError) as error:
        shop.run("version: 0.2\nphases: {}\n", environment=[variable])
    assert told in error.value.message


def test_secrets_are_resolved_and_never_shown(shop: Workshop):
    """Parameters and secrets reach the commands; log, messages and exported variables do not show them."""
    shop.cloud.client("ssm").put_parameter(Name="/demo/token", Value="parameter-value", Type="SecureString")
    secret = json.dumps({"user": "someone", "password": "secret-value"})
    shop.cloud.client("secretsmanager").create_secret(Name="demo", SecretString=secret)
    result = shop.run(
        """
        version: 0.2
        env:
          parameter-store: {TOKEN: /demo/token}
          secrets-manager: {PASSWORD: "demo:password", ALL: demo}
          exported-variables: [TOKEN, LENGTH]
        phases:
          build:
            commands:
              - echo "$TOKEN and $PASSWORD"
              - LENGTH=${#TOKEN}
              - sh -c 'exit 4' $PASSWORD secret-value
        """
    )
    assert shop.printed(result) == ["*** and ***"]
    assert result.exported == {"LENGTH": "15"}
    assert result.message.endswith("$PASSWORD ***. Reason: exit status 4")
    assert "secret-value" not in result.log.read_text()


def test_a_secret_that_cannot_be_read_is_told_by_name(shop: Workshop):
    """The build fails before its commands run."""
    result = shop.run(
        "version: 0.2\nenv: {secrets-manager: {A: 'gone:key'}}\nphases: {build: {commands: [echo never]}}\n"
    )
    assert (result.status, shop.printed(result)) == ("FAILED", [])
    assert "A: secret gone cannot be read" in result.message


def test_several_sources_are_unpacked(shop: Workshop, tmp_path: Path):
    """The primary one holds the buildspec; the others lie where CODEBUILD_SRC_DIR_<name> says; modes are kept."""
    spec = "version: 0.2\nphases: {build: {commands: [./run.sh, cat $CODEBUILD_SRC_DIR_Other/note]}}\n"
    first = zipped(tmp_path / "1.zip", {"ci/spec.yml": spec, "run.sh": "#!/bin/sh\necho ran\n"}, runsh=0o100755)
    other = zipped(tmp_path / "2.zip", {"note": "from the other\n"})
    project = shop.project(source={"type": "CODEPIPELINE", "buildspec": "ci/spec.yml"})
    result = shop.build(project, sources={"Other": other, "First": first}, primary_source="First")
    assert shop.printed(result) == ["ran", "from the other"]
    assert "name one of Other, First" in shop.build(project, sources={"Other": other, "First": first}).message


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_a_source_cannot_write_outside_of_its_folder(shop: Workshop, tmp_path: Path, name: str):
    """A zip file with such a path is refused by name."""
    result = shop.build(shop.project(), sources={"Source": zipped(tmp_path / "evil.zip", {name: "x"})})
    assert result.status == "FAILED"
    assert "holds a file that would lie outside of it" in result.message


@pytest.mark.parametrize("goal", ["/etc/passwd", "../../../passwd"])
def test_a_source_cannot_link_outside_of_its_folder(shop: Workshop, tmp_path: Path, goal: str):
    """Nor can a link lead out of it."""
    link = zipped(tmp_path / "evil.zip", {"link": goal}, link=stat.S_IFLNK | 0o777)
    result = shop.build(shop.project(), sources={"Source": link})
    assert f"holds a link that leads out of it: link -> {goal}" in result.message


def test_one_output_artifact_is_the_buildspecs_own(shop: Workshop):
    """Files come by pattern, hidden ones too, without the excluded; modes and links are kept."""
    result = shop.run(
        """
        version: 0.2
        phases:
          build:
            commands:
              - mkdir -p out/deep out/skip && cd out
              - echo 1 >deep/a.txt; echo 2 >.hidden; echo 3 >skip/b.txt; ln -s a.txt deep/link
              - echo 4 >run && chmod 755 run
        artifacts:
          base-directory: out
          files: ['**/*']
          exclude-paths: ['skip/**/*']
          enable-symlinks: yes
        """,
        artifact_names=["Built"],
    )
    assert result.status == "SUCCEEDED", result.message
    assert names(result.artifacts["Built"]) == [".hidden", "deep/a.txt", "deep/link", "run"]
    with zipfile.ZipFile(result.artifacts["Built"]) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert archive.read("deep/link") == b"a.txt"
    assert stat.S_ISLNK(modes["deep/link"])
    assert modes["run"] & 0o777 == 0o755


def test_an_artifact_is_the_next_builds_source(shop: Workshop):
    """What one build hands over, the next one finds as it was, links and modes included."""
    made = shop.run(
        """
        version: 0.2
        phases: {build: {commands: ['printf "#!/bin/sh\\necho ran\\n" >run; chmod 755 run; ln -s run again']}}
        artifacts: {files: ['**/*'], enable-symlinks: yes}
        """,
        artifact_names=["Made"],
    )
    result = shop.run("version: 0.2\nphases: {build: {commands: [./again]}}\n", sources=made.artifacts)
    assert shop.printed(result) == ["ran"]


def test_several_output_artifacts_are_the_secondary_ones(shop: Workshop):
    """Each takes its own definition; without one the build says which is missing."""
    spec = """
        version: 0.2
        phases: {build: {commands: [mkdir -p a/b, echo 1 >a/b/one, echo 2 >two, ln -s a/b/one linked]}}
        artifacts:
          files: [two]
          secondary-artifacts:
            One: {files: ['a/**/*'], discard-paths: yes}
            Two: {files: [two, linked, absent]}
        """
    result = shop.run(spec, artifact_names=["One", "Two"])
    assert {name: names(path) for name, path in result.artifacts.items()} == {"One": ["one"], "Two": ["linked", "two"]}
    failed = shop.run(spec, artifact_names=["One", "Three"])
    assert (failed.status, failed.artifacts) == ("FAILED", {})
    assert "output artifact Three is not in the buildspec" in failed.message


@pytest.mark.parametrize(
    ("artifacts", "told"),
    [
        ("files: [nothing/**/*]", "no matching artifact paths found"),
        ("files: ['*'], base-directory: gone", "no matching base directory path found for gone"),
        ("files: [../../secret]", "lies outside of its base directory"),
    ],
)
def test_artifacts_that_are_not_there_fail_the_build(shop: Workshop, artifacts: str, told: str):
    """The message is CodeBuild's own, with what was looked for."""
    result = shop.run(f"version: 0.2\nphases: {{}}\nartifacts: {{{artifacts}}}\n", artifact_names=["Built"])
    assert (result.status, result.artifacts) == ("FAILED", {})
    assert told in result.message


@pytest.mark.parametrize(
    "cache", [{"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]}, {"type": "S3", "location": "bucket/prefix"}]
)
def test_cached_paths_are_there_again(shop: Workshop, cache):
    """Below the source and below /root, which is the build's home; other paths are named and left alone."""
    project = shop.project(
        f"""
        version: 0.2
        phases:
          build:
            commands:
              - mkdir -p packages ~/.cache/tool
              - cat packages/n ~/.cache/tool/n 2>/dev/null || echo none yet
              - echo kept >packages/n; echo at home >~/.cache/tool/n
        cache: {{paths: ['packages/**/*', {CONTAINER_HOME}/.cache/tool, /etc]}}
        """,
        cache=cache,
    )
    assert shop.printed(shop.build(project)) == ["none yet"]
    result = shop.build(project)
    assert shop.printed(result) == ["kept", "at home"]
    assert "does not cache /etc" in result.log.read_text()


def test_a_keyed_cache_belongs_to_its_key(shop: Workshop, tmp_path: Path):
    """A cache with a key is restored for the same key, or for a fallback key's beginning."""
    spec = """
        version: 0.2
        phases: {build: {commands: [cat kept/n || echo none, 'mkdir -p kept; cp lock new; mv new kept/n']}}
        cache:
          key: lock-$(codebuild-hash-files lock)
          paths: [kept]
        """
    project = shop.project(spec, cache={"type": "S3", "location": "bucket/prefix"})
    one, two = (zipped(tmp_path / f"{text}.zip", {"lock": f"{text}\n"}) for text in ("one", "two"))
    printed = [shop.printed(shop.build(project, sources={"S": each}))[-1] for each in (one, two, one, two)]
    assert printed == ["none", "none", "one", "two"]
    shop.client.update_project(
        name=project,
        source={"type": "CODEPIPELINE", "buildspec": spec.replace("  key", "  fallback-keys: [lock-]\n          key")},
    )
    three = zipped(tmp_path / "three.zip", {"lock": "three\n"})
    assert shop.printed(shop.build(project, sources={"S": three}))[-1] == "two"


def test_only_the_newest_keyed_caches_are_kept(shop: Workshop, tmp_path: Path):
    """Each holds a whole set-up, and nobody goes back to all of them."""
    project = shop.project(
        """
        version: 0.2
        phases: {build: {commands: [cat kept/n || echo none, 'mkdir -p kept; cp lock new; mv new kept/n']}}
        cache: {key: lock-$(codebuild-hash-files lock), paths: [kept]}
        """,
        cache={"type": "S3", "location": "bucket/prefix"},
    )
    locks = {text: zipped(tmp_path / f"{text}.zip", {"lock": f"{text}\n"}) for text in ("one", "two", "three")}
    order = ("one", "two", "three", "two", "three", "one")
    printed = [shop.printed(shop.build(project, sources={"S": locks[each]}))[-1] for each in order]
    assert printed == ["none", "none", "none", "two", "three", "none"]


def test_a_file_of_two_names_is_cached_once(shop: Workshop):
    """And has both when it is restored."""
    command = "test -e kept && find kept -name one -links 4 || { mkdir kept; echo 1 >kept/one; ln kept/one kept/two; }"
    project = shop.project(
        f"""
        version: 0.2
        phases: {{build: {{commands: ['{command}', 'cat kept/two']}}}}
        cache: {{key: same, paths: [kept]}}
        """,
        cache={"type": "S3", "location": "bucket/prefix"},
    )
    # The two names in the cache, and the two in the build.
    assert [shop.printed(shop.build(project)) for _ in range(2)] == [["1"], ["kept/one", "1"]]


def test_a_cache_that_cannot_be_saved_fails_no_build(shop: Workshop):
    """It is told, and what was copied of it takes no room: as on a full disk, here for what is no file."""
    result = shop.run(
        """
        version: 0.2
        phases: {build: {commands: ['mkdir kept; echo x >kept/n; mkfifo kept/pipe']}}
        cache: {key: same, paths: [kept]}
        """,
        settings={"cache": {"type": "S3", "location": "bucket/prefix"}},
    )

    assert result.status == "SUCCEEDED"
    assert "Cache not saved: `" in result.log.read_text()
    assert list(shop.folder.rglob("cache/**/*.new")) == []


def test_what_was_copied_when_the_rehearsal_was_killed_takes_no_room_in_the_next(tmp_path: Path):
    """A cache that was being saved is a gigabyte of which nobody knows the key."""
    kept = tmp_path / "cache" / "123456789012" / "eu-west-1" / "demo" / "s3"
    (kept / "abc.1.new" / "packages").mkdir(parents=True)
    (kept / "abc").mkdir()

    forget_drafts(tmp_path / "cache")

    assert [each.name for each in kept.iterdir()] == ["abc"]


def test_a_full_disk_is_told_where_many_files_did_not_fit(tmp_path: Path):
    """Copying a folder tells of each of them, in words only."""
    for folder in ("from", "to"):
        (tmp_path / folder).mkdir()
    for name in ("one", "two"):
        (tmp_path / "from" / name).write_text("x")
        (tmp_path / "to" / name).symlink_to("/dev/full")

    with pytest.raises(OSError) as error:  # noqa: PT011 (what it says is asked below)
        shutil.copytree(tmp_path / "from", tmp_path / "to", dirs_exist_ok=True)

    assert "No space left on device" in str(fulldisk.explained(error.value, tmp_path))


def test_what_a_build_writes_to_a_cached_file_reaches_no_later_build(shop: Workshop, tmp_path: Path):
    """A keyed cache holds what the first build left, or nothing; from then on the file is not shared any more."""
    project = shop.project(
        """
        version: 0.2
        phases: {build: {commands: [cat kept/n || echo none, 'mkdir -p kept; printf x >>kept/n']}}
        cache: {key: same, paths: [kept]}
        """,
        cache={"type": "S3", "location": "bucket/prefix"},
    )
    printed = [shop.printed(shop.build(project))[-1] for _ in range(5)]
    assert printed == ["none", "x", "none", "x", "x"]


def test_a_mark_that_every_build_touches_costs_no_cache(shop: Workshop):
    """An empty file tells by its time alone, so tools touch it where it lies: jsii's cache does."""
    project = shop.project(
        """
        version: 0.2
        phases: {build: {commands: ['cat kept/n || { mkdir kept; echo here >kept/n; echo none; }', touch kept/mark]}}
        cache: {key: same, paths: [kept]}
        """,
        cache={"type": "S3", "location": "bucket/prefix"},
    )
    assert [shop.printed(shop.build(project))[-1] for _ in range(3)] == ["none", "here", "here"]


@pytest.mark.parametrize("name", [r"m\351", r"two\nlines"])
def test_a_file_of_a_cache_may_have_any_name(shop: Workshop, name: str):
    """And may be touched or written to by every build: any bytes but two are a name."""
    project = shop.project(
        rf"""
        version: 0.2
        phases:
          build:
            commands:
              - mkdir -p kept; touch "kept/$(printf '{name}')" "kept/$(printf 'empty {name}')"
              - echo x >>"kept/$(printf '{name}')"
              - wc -c <"kept/$(printf '{name}')"
        cache: {{key: same, paths: [kept]}}
        """,
        cache={"type": "S3", "location": "bucket/prefix"},
    )
    printed = [shop.printed(shop.build(project))[-1].strip() for _ in range(5)]
    assert printed == ["2", "4", "2", "4", "4"]


def test_a_cached_folder_keeps_its_mode_and_time(shop: Workshop):
    """There are tools that look: of a folder of keys at who else may read it, of others at when they changed."""
    project = shop.project(
        """
        version: 0.2
        phases:
          build:
            commands:
              - test -e kept || { mkdir -p kept/keys; touch kept/keys/one; chmod 700 kept/keys; touch -d @9 kept/keys; }
              - python -c "import os; found = os.stat('kept/keys'); print(oct(found.st_mode), int(found.st_mtime))"
        cache: {key: same, paths: [kept]}
        """,
        cache={"type": "S3", "location": "bucket/prefix"},
    )
    assert [shop.printed(shop.build(project)) for _ in range(2)] == [["0o40700 9"]] * 2


def test_reports_are_read(shop: Workshop):
    """JUnit and Cobertura files become reports with counts, which the API tells."""
    junit = (
        '<testsuites><testsuite><testcase classname="a" name="x" time="0.5"/><testcase name="y"><failure message="no"/>'
        '</testcase><testcase name="z"><skipped/></testcase></testsuite></testsuites>'
    )
    cobertura = (
        '<coverage lines-covered="3" lines-valid="4" branches-covered="1" branches-valid="2"><packages><package>'
        '<classes><class filename="a.py" line-rate="0.75" branch-rate="0.5"/></classes></package></packages></coverage>'
    )
    build_id = shop.start(shop.project(_reporting(junit, cobertura)))
    shop.codebuild.wait(build_id)
    arns = shop.client.batch_get_builds(ids=[build_id])["builds"][0]["reportArns"]
    reports = {
        each["name"].rpartition("-")[2]: each for each in shop.client.batch_get_reports(reportArns=arns)["reports"]
    }
    assert reports["unit"]["status"] == "FAILED"
    assert reports["unit"]["testSummary"]["statusCounts"] == {"SUCCEEDED": 1, "FAILED": 1, "SKIPPED": 1}
    assert reports["coverage"]["codeCoverageSummary"]["lineCoveragePercentage"] == 75
    assert reports["absent"]["status"] == "INCOMPLETE"
    failed = shop.client.describe_test_cases(reportArn=reports["unit"]["arn"], filter={"status": "FAILED"})["testCases"]
    assert [(case["name"], case["message"]) for case in failed] == [("y", "no")]
    group = reports["unit"]["reportGroupArn"]
    assert shop.client.list_reports_for_report_group(reportGroupArn=group)["reports"] == [reports["unit"]["arn"]]


def test_runtimes_are_those_of_the_machine(shop: Workshop):
    """A version that is there is used, and what a build installs stays its own; one that is not fails by name."""
    version = runtimes.OWN_VERSION
    result = shop.run(
        f"""
        version: 0.2
        phases:
          install: {{runtime-versions: {{python: {version}}}}}
          build:
            commands:
              - python -c "import sys; print('%d.%d' % sys.version_info[:2])"
              - python{version} -c "import sys; print(sys.prefix)"
        """
    )
    assert shop.printed(result)[0] == version
    assert Path(shop.printed(result)[1]).is_relative_to(shop.folder)
    for language, told in (
        ("python: 2.5", "python 2.5 of runtime-versions is not on this machine"),
        ("cobol: 85", "cobol 85"),
    ):
        failed = shop.run(
            f"version: 0.2\nphases: {{install: {{runtime-versions: {{{language}}}, commands: [echo]}}}}\n"
        )
        assert failed.status == "FAILED"
        assert told in failed.message


def test_a_shim_that_runs_nothing_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """pyenv's shim may answer 127 for a version that lies in its own folder; that one is found."""
    shims, real = tmp_path / "shims", tmp_path / "versions/3.99.1/bin"
    for folder in (shims, real):
        folder.mkdir(parents=True)
    (shims / "python3.99").write_text("#!/bin/sh\nexit 127\n")
    (real / "python3.99").write_text(f"#!/bin/sh\necho 3.99; echo {real}/python3.99\n")
    for file in (shims / "python3.99", real / "python3.99"):
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}:{os.environ['PATH']}")
    runtimes.find_python.cache_clear()
    assert runtimes.find_python("3.99") == ("3.99", real / "python3.99")
    assert machine.pyenv_root(machine.program_folders()) == {"PYENV_ROOT": str(tmp_path)}


def test_package_indexes_come_along(tmp_path: Path):
    """pip's and npm's configuration of the user is copied, what would redirect installations left out."""
    home, prefix = tmp_path / "home", tmp_path / "node"
    for file, text in {
        home / ".config/pip/pip.conf": "[global]\nindex-url = https://one.example.com/simple\nuser = true\n",
        home / ".npmrc": "registry=https://two.example.com/\n",
        prefix / "etc/npmrc": "fund=false\n",
        prefix / "bin/node": "#!/bin/sh\n",
    }.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (prefix / "bin/node").chmod(0o755)
    given = {"HOME": str(home), "PATH": str(prefix / "bin"), "npm_config_registry": "https://two.example.com/"}
    variables = machine.package_indexes(tmp_path / "copies", given | {"PIP_TARGET": "/", "npm_config_prefix": "/"})
    assert "https://one.example.com/simple" in Path(variables["PIP_CONFIG_FILE"]).read_text()
    assert "user" not in Path(variables["PIP_CONFIG_FILE"]).read_text()
    assert "two.example.com" in Path(variables["NPM_CONFIG_USERCONFIG"]).read_text()
    assert Path(variables["NPM_CONFIG_GLOBALCONFIG"]).read_text() == "fund=false\n"
    assert not {"PIP_TARGET", "npm_config_prefix"} & variables.keys()
    assert stat.S_IMODE(Path(variables["NPM_CONFIG_USERCONFIG"]).stat().st_mode) == 0o600


def test_only_the_machines_own_programs_are_found(tmp_path: Path):
    """Folders of virtual environments and of a project's node_modules are left out of PATH."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").touch()
    path = f"{tmp_path}/venv/bin:{tmp_path}/node_modules/.bin:/usr/bin:.:/usr/bin:/bin"
    assert machine.program_folders({"PATH": path}) == ("/usr/bin", "/bin")


def test_a_finished_builds_files_are_removed(shop: Workshop):
    """A successful build leaves its artifacts and its log; a failed one its files too, but no configuration."""
    spec = "version: 0.2\nphases: {{build: {{commands: [echo x >file, '{}']}}}}\nartifacts: {{files: [file]}}\n"
    for command, left in (("true", {"artifacts"}), ("false", {"artifacts", "src", "home", "tmp", "python"})):
        build_id = shop.start(shop.project(spec.format(command)), artifact_names=["Built"])
        shop.codebuild.wait(build_id)
        shop.codebuild.builds.find(build_id).thread.join()
        assert {path.name for path in (shop.folder / "builds" / build_id.split(":")[1]).iterdir()} == left


def _reporting(junit: str, cobertura: str) -> str:
    return json.dumps(
        {
            "version": "0.2",
            "phases": {
                "build": {
                    "commands": [
                        f"mkdir r; cat >r/junit.xml <<'END'\n{junit}\nEND",
                        f"cat >r/coverage.xml <<'END'\n{cobertura}\nEND",
                    ]
                }
            },
            "reports": {
                "unit": {"files": ["junit.xml"], "base-directory": "r"},
                "coverage": {"files": ["r/coverage.xml"], "file-format": "COBERTURAXML"},
                "absent": {"files": ["gone.xml"]},
            },
        }
    )


def test_installing_reaches_the_build_only(shop: Workshop, tmp_path: Path):
    """``pip install`` in a build writes into the build's own Python."""
    wheel = _wheel(tmp_path)
    result = shop.run(
        f"version: 0.2\nphases: {{build: {{commands: [pip install -q --no-index {wheel}, python -m tiny_part]}}}}\n"
    )
    assert result.status == "SUCCEEDED", shop.printed(result)
    assert Path(shop.printed(result)[-1]).is_relative_to(shop.folder)
    machine_python = runtimes.find_python(runtimes.OWN_VERSION)[1]
    assert subprocess.run([machine_python, "-m", "tiny_part"], capture_output=True).returncode


def _wheel(folder: Path) -> Path:
    wheel = folder / "tiny_part-1.0-py3-none-any.whl"
    zipped(
        wheel,
        {
            "tiny_part.py": "print(__file__)\n",
            "tiny_part-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny-part\nVersion: 1.0\n",
            "tiny_part-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "tiny_part-1.0.dist-info/RECORD": "",
        },
    )
    return wheel
