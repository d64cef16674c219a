"""Test and coverage reports: report groups, and the files of a build read into them.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Expat itself stops entities that blow up, and ElementTree never fetches one from outside.
from xml.etree import ElementTree as ET

from rehearsal.codebuild.artifacts import matching
from rehearsal.codebuild.buildspec import COVERAGE_FORMATS, Report
from rehearsal.codebuild.record import BuildRecord, PhaseError

LARGEST_FILE = 100 * 1024 * 1024
OUTCOMES = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}


@dataclass
class Reports:
    """Report groups and reports of every account and region, by ARN."""

    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    coverages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def collect(self, wanted: Report, build: BuildRecord, source: Path, note: Callable[[str], None]) -> None:
        """Read the files of ``wanted`` into a new report of ``build``."""
        group = self._group(wanted, build)
        files = _files(wanted, source)
        report: dict[str, Any] = {
            "arn": f"{group['arn'].replace(':report-group/', ':report/')}:{uuid.uuid4()}",
            "type": group["type"],
            "name": group["name"],
            "reportGroupArn": group["arn"],
            "executionId": build.arn,
            "created": datetime.now(UTC),
            "exportConfig": {"exportConfigType": "NO_EXPORT"},
            "truncated": False,
        }
        if not files:
            note(f"No matching report paths found for {wanted.group}: {', '.join(wanted.files)}")
            report |= {"status": "INCOMPLETE"}
        else:
            report |= self._read(report, wanted, files, note)
        self.reports[report["arn"]] = report
        build.report_arns.append(report["arn"])

    def _group(self, wanted: Report, build: BuildRecord) -> dict[str, Any]:
        """Return the group of ``wanted``, made when the build's project has none of that name.

        https://docs.aws.amazon.com/codebuild/latest/userguide/test-report-group-naming.html
        """
        name = f"{build.project['name']}-{wanted.group}"
        arn = wanted.group
        if not arn.startswith("arn:"):
            arn = f"arn:aws:codebuild:{build.region}:{build.account}:report-group/{name}"
        now = datetime.now(UTC)
        kind = "CODE_COVERAGE" if wanted.format in COVERAGE_FORMATS else "TEST"
        group = {"arn": arn, "name": arn.rpartition("/")[2], "type": kind, "created": now, "status": "ACTIVE"}
        return self.groups.setdefault(
            arn, group | {"lastModified": now, "exportConfig": {"exportConfigType": "NO_EXPORT"}}
        )

    def _read(
        self, report: dict[str, Any], wanted: Report, files: list[Path], note: Callable[[str], None]
    ) -> dict[str, Any]:
        try:
            roots = [_parse(file) for file in files]
            if wanted.format in COVERAGE_FORMATS:
                self.coverages[report["arn"]] = _coverages(roots, report["arn"])
                return {"status": "SUCCEEDED", "codeCoverageSummary": _coverage_summary(roots)}
            cases = [_case(case, report["arn"]) for root in roots for case in root.iter("testcase")]
        except (ET.ParseError, ValueError, OSError) as error:
            note(f"Report {wanted.group} cannot be read as {wanted.format}: {error}")
            return {"status": "FAILED"}
        self.cases[report["arn"]] = cases
        counts = Counter(case["status"] for case in cases)
        summary = {
            "total": len(cases),
            "statusCounts": dict(counts),
            "durationInNanoSeconds": sum(case["durationInNanoSeconds"] for case in cases),
        }
        note(f"Report {wanted.group}: {len(cases)} test(s), " + ", ".join(f"{counts[each]} {each}" for each in counts))
        failed = counts["FAILED"] or counts["ERROR"]
        return {"status": "FAILED" if failed else "SUCCEEDED", "testSummary": summary}


def _files(wanted: Report, source: Path) -> list[Path]:
    base = source / wanted.base_directory
    try:
        return sorted({base / each for pattern in wanted.files for each in matching(base, pattern)})
    except PhaseError:
        return []


def _parse(file: Path) -> ET.Element:
    if file.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{file.name} is larger than {LARGEST_FILE} bytes")
    # The build's own file; expat refuses entities that grow without bound, and the size is checked above.
    return ET.parse(file).getroot()  # noqa: S314


def _case(case: ET.Element, report: str) -> dict[str, Any]:
    outcome = next((child for child in case if child.tag in OUTCOMES), None)
    return {
        "reportArn": report,
        "prefix": case.get("classname", ""),
        "name": case.get("name", ""),
        "status": "SUCCEEDED" if outcome is None else OUTCOMES[outcome.tag],
        "durationInNanoSeconds": round(float(case.get("time") or 0) * 1e9),
        "message": "" if outcome is None else outcome.get("message", ""),
    }


def _coverage_summary(roots: list[ET.Element]) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for kind, word in (("line", "lines"), ("branch", "branches")):
        covered = sum(int(root.get(f"{word}-covered") or 0) for root in roots)
        valid = sum(int(root.get(f"{word}-valid") or 0) for root in roots)
        title = "branches" if kind == "branch" else "lines"
        summary |= {f"{title}Covered": covered, f"{title}Missed": valid - covered}
        summary[f"{kind}CoveragePercentage"] = round(100 * covered / valid, 2) if valid else 0.0
    return summary


def _coverages(roots: list[ET.Element], report: str) -> list[dict[str, Any]]:
    return [
        {
            "id": str(uuid.uuid4()),
            "reportARN": report,
            "filePath": each.get("filename", ""),
            "lineCoveragePercentage": round(100 * float(each.get("line-rate") or 0), 2),
            "branchCoveragePercentage": round(100 * float(each.get("branch-rate") or 0), 2),
        }
        for root in roots
        for each in root.iter("class")
    ]
