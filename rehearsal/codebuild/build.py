"""One build, from its submission to its end.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from shlex import quote

from rehearsal import fulldisk
from rehearsal.codebuild import artifacts, environment, sources
from rehearsal.codebuild.buildspec import Buildspec
from rehearsal.codebuild.caches import BuildCache
from rehearsal.codebuild.environment import Place
from rehearsal.codebuild.host import Host
from rehearsal.codebuild.limits import Halted, Limits
from rehearsal.codebuild.log import Log
from rehearsal.codebuild.model import BuildRequest
from rehearsal.codebuild.phases import Commands
from rehearsal.codebuild.record import BuildRecord, PhaseError
from rehearsal.codebuild.runtimes import OWN_VERSION, own_python
from rehearsal.codebuild.shell import Shell
from rehearsal.codebuild.variables import Credentials, Resolver, assume, declared_in

LOG = logging.getLogger(__name__)
LONGEST_REASON = 1_000
HASH_FILES = """\
#!/bin/sh
# https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html
cat -- "$@" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d" " -f1
"""


class Build:
    """Runs what ``request`` asks for and writes down in ``record`` what happens."""

    def __init__(self, record: BuildRecord, request: BuildRequest, host: Host) -> None:
        self.record, self.request, self._host = record, request, host
        self.place = Place(host.builds / record.uuid)
        deadline = time.monotonic() + record.project["timeoutInMinutes"] * host.minute
        self.limits = Limits(deadline, host.grace, hurry=host.hurry)
        self._exit = contextlib.ExitStack()

    def run(self) -> None:
        """Run the build to its end; never raises."""
        status = "FAILED"
        try:
            with contextlib.ExitStack() as self._exit:
                self.place.make()
                self._log = self._exit.enter_context(Log(self.record))
                try:
                    status = "SUCCEEDED" if self._phases() else "FAILED"
                except PhaseError as error:
                    self._log.note(f"{self.record.phases[-1].type} failed, {error.code}: {error.message}")
                except Halted as halted:
                    status = halted.reason
                    self._log.note(self.record.message)
        except Exception as error:  # whatever it was, whoever waits for the build must hear of it
            LOG.exception("build %s", self.record.id)
            status, self.record.message = "FAULT", f"the rehearsal failed to run the build: {self._reason(error)}"
        self.record.message = self._clean(self.record.message)
        self.record.finish(status)

    def tidy(self) -> None:
        """Remove what nobody will ask for again; a failed build's files stay, to be looked at."""
        if self.record.status == "SUCCEEDED":
            for folder in self.place.root.iterdir():
                if folder != self.place.artifacts:
                    shutil.rmtree(folder, ignore_errors=True)
        else:
            shutil.rmtree(self.place.root / "config", ignore_errors=True)
            shutil.rmtree(self.place.root / "control", ignore_errors=True)

    def _clean(self, message: str) -> str:
        return self._log.clean(message) if hasattr(self, "_log") else message

    def _reason(self, error: Exception) -> str:
        full = fulldisk.explained(error, self._host.folder) if isinstance(error, OSError) else None
        return full or repr(error)[:LONGEST_REASON]

    def _phases(self) -> bool:
        record = self.record
        for name in ("SUBMITTED", "QUEUED"):
            with record.phase(name):
                self.limits.check()
        with record.phase("PROVISIONING"):
            credentials = self._provision()
        with record.phase("DOWNLOAD_SOURCE"):
            spec = self._download(Resolver(self._host.cloud, record.region, credentials))
            environment = self._environment(spec, credentials)
            shell = self._exit.enter_context(contextlib.closing(self._shell(spec, environment)))
            cache = self._exit.enter_context(self._cache(spec, shell))
        commands = Commands(spec, shell, record, self._log, self.place.python)
        complete = commands.run()
        record.exported = self._exported(spec, shell)
        if complete:
            with contextlib.suppress(PhaseError), record.phase("UPLOAD_ARTIFACTS"):
                self._upload(spec, cache, succeeding=commands.succeeding)
        with record.phase("FINALIZING"):
            return all(phase.status != "FAILED" for phase in record.phases)

    def _provision(self) -> Credentials:
        build = self.record
        if build.project.get("logsConfig", {}).get("s3Logs", {}).get("status") == "ENABLED":
            raise PhaseError("CLIENT_ERROR", "the rehearsal does not write logs to S3, set s3Logs to DISABLED")
        credentials = assume(build)
        self._log.hide([credentials.secret_access_key, credentials.session_token, credentials.access_key_id])
        return credentials

    def _download(self, resolver: Resolver) -> Buildspec:
        """Fetch the source, read the buildspec and resolve the variables, the later of a name before the earlier."""
        self._log.note(f"CODEBUILD_SRC_DIR={self.place.source}")
        settings = self.record.project["source"]
        self._further = self.request.variables | sources.unpack_artifacts(
            self.request, self.place.source, self.place.others
        )
        project, version = self.record.project, self.record.project.get("sourceVersion")
        if settings["type"] == "S3":
            s3 = resolver.client("s3")
            sources.download(settings["location"], version, s3, self.place.source, self.place.scratch)
        elif settings["type"] in sources.HOSTS:
            commit = sources.clone(settings, version or "", self._host.repositories, self.place.source)
            self.record.resolved_source_version = commit
        self._further |= sources.download_secondary(project, resolver.client, self.place.others, self.place.scratch)
        spec = sources.read_buildspec(settings.get("buildspec", ""), self.place.source)
        self._log.note("Processing environment variables")
        given = [*self.record.project["environment"].get("environmentVariables", []), *self.request.environment]
        declared = {each["name"]: each for each in [*declared_in(spec), *given]}
        self._declared = resolver.resolve(declared.values())
        self._hidden = {name for name, each in declared.items() if each.get("type", "PLAINTEXT") != "PLAINTEXT"}
        self._log.hide(resolver.secrets)
        return spec

    def _environment(self, spec: Buildspec, credentials: Credentials) -> dict[str, str]:
        install = spec.phases.get("install")
        programs = own_python(self.place.python, (install.runtimes if install else {}).get("python", OWN_VERSION))
        hash_files = programs / "codebuild-hash-files"
        hash_files.write_text(HASH_FILES)
        hash_files.chmod(0o755)
        return (
            environment.machine(self.place, programs)
            | self._host.proxy.environment()
            | {"AWS_ENDPOINT_URL": self._host.cloud.endpoint}
            | credentials.environment()
            | self._declared
            | environment.described(self.record, self.place)
            | self._further
        )

    def _shell(self, spec: Buildspec, variables: dict[str, str]) -> Shell:
        return Shell(
            spec.shell,
            folder=self.place.root / "control",
            environment=variables,
            start_in=self.place.source,
            limits=self.limits,
            print_line=self._log.line,
        )

    @contextlib.contextmanager
    def _cache(self, spec: Buildspec, shell: Shell) -> Iterator[BuildCache]:
        build = self.record
        kept = self._host.folder / "cache" / build.account / build.region / build.project["name"]
        cache = BuildCache(
            build.project.get("cache", {}),
            spec.cache,
            kept=kept,
            home=self.place.home,
            source=self.place.source,
            note=self._log.note,
        )
        with self._host.local_cache(kept) if cache.local else contextlib.nullcontext(True) as free:
            self._key = self._evaluate(shell, spec.cache.key)
            if free:
                cache.restore(self._key, tuple(self._evaluate(shell, each) for each in spec.cache.fallback_keys))
            else:
                self._log.note("Another build of this project has its local cache, as it would on another host")
            yield cache

    def _evaluate(self, shell: Shell, text: str) -> str:
        """Return ``text`` as the build's shell expands it."""
        if not text:
            return ""
        answer = self.place.scratch / f"expanded-{self.record.uuid}"
        shell.run(f'printf %s "{text}" >{quote(str(answer))}')
        value = answer.read_text(errors="replace") if answer.exists() else text
        answer.unlink(missing_ok=True)
        return value

    def _exported(self, spec: Buildspec, shell: Shell) -> dict[str, str]:
        """Return the exported variables; secrets never are.

        https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.exported-variables
        """
        for name in self._hidden & set(spec.exported):
            self._log.note(f"{name} is not exported, because it is a secret")
        names = [name for name in spec.exported if name not in self._hidden]
        return {name: self._evaluate(shell, f"${{{name}-}}") for name in names}

    def _upload(self, spec: Buildspec, cache: BuildCache, *, succeeding: bool) -> None:
        source, note = self.place.source, self._log.note
        for report in spec.reports:
            self._host.reports.collect(report, self.record, source, note)
        if succeeding:
            cache.save(self._key)
        for name, artifact in artifacts.choose(spec, self.request.artifact_names).items():
            target = self.place.artifacts / f"{name}.zip"
            artifacts.package(artifact, source=source, target=target, note=note)
            self.record.artifacts[name] = target
