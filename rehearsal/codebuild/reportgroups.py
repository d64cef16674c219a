"""The operations on reports and report groups.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Operations.html
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rehearsal.codebuild.paging import page
from rehearsal.codebuild.reports import Reports
from rehearsal.protocol import Caller, JsonService, ServiceError


class ReportOperations(JsonService):
    """What CodeBuild answers about ``reports``."""

    reports: Reports

    def create_report_group(self, caller: Caller, name: str, **definition: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateReportGroup.html"""
        if definition["exportConfig"].get("exportConfigType") == "S3":
            raise ServiceError("InvalidInputException", "the rehearsal does not export reports to S3, use NO_EXPORT")
        arn = f"arn:aws:codebuild:{caller.region}:{caller.account}:report-group/{name}"
        if arn in self.reports.groups:
            raise ServiceError("ResourceAlreadyExistsException", f"Report group already exists: {arn}")
        now = datetime.now(UTC)
        group = {"arn": arn, "name": name, "created": now, "lastModified": now, "status": "ACTIVE"} | definition
        self.reports.groups[arn] = group
        return {"reportGroup": group}

    def delete_report_group(self, caller: Caller, arn: str, deleteReports: bool = False) -> None:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DeleteReportGroup.html"""
        if arn not in _owned(caller, self.reports.groups):
            return
        mine = [key for key, report in self.reports.reports.items() if report["reportGroupArn"] == arn]
        if mine and not deleteReports:
            raise ServiceError("InvalidInputException", f"{arn} still has reports, set deleteReports")
        for key in mine:
            del self.reports.reports[key]
        del self.reports.groups[arn]

    def batch_get_report_groups(self, caller: Caller, reportGroupArns: list[str]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetReportGroups.html"""
        found, missing = _split(caller, reportGroupArns, self.reports.groups)
        return {"reportGroups": found, "reportGroupsNotFound": missing}

    def batch_get_reports(self, caller: Caller, reportArns: list[str]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetReports.html"""
        found, missing = _split(caller, reportArns, self.reports.reports)
        return {"reports": found, "reportsNotFound": missing}

    def list_report_groups(self, caller: Caller, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListReportGroups.html"""
        return page("reportGroups", _owned(caller, self.reports.groups), query)

    def list_reports(self, caller: Caller, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListReports.html"""
        return page("reports", _owned(caller, self.reports.reports)[::-1], query)

    def list_reports_for_report_group(self, caller: Caller, reportGroupArn: str, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListReportsForReportGroup.html"""
        if reportGroupArn not in _owned(caller, self.reports.groups):
            raise ServiceError("ResourceNotFoundException", f"Report group cannot be found: {reportGroupArn}")
        arns = [arn for arn, each in self.reports.reports.items() if each["reportGroupArn"] == reportGroupArn]
        return page("reports", arns[::-1], query)

    def describe_test_cases(self, caller: Caller, reportArn: str, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DescribeTestCases.html"""
        status = query.get("filter", {}).get("status")
        cases = self.reports.cases.get(reportArn, []) if reportArn in _owned(caller, self.reports.cases) else []
        return page("testCases", [case for case in cases if status in (None, case["status"])], query)

    def describe_code_coverages(self, caller: Caller, reportArn: str, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DescribeCodeCoverages.html"""
        files = self.reports.coverages.get(reportArn, []) if reportArn in _owned(caller, self.reports.coverages) else []
        return page("codeCoverages", files, query)


def _split(
    caller: Caller, wanted: list[str], known: dict[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    mine = _owned(caller, known)
    return [known[arn] for arn in wanted if arn in mine], [arn for arn in wanted if arn not in mine]


def _owned(caller: Caller, known: Iterable[str]) -> list[str]:
    return [arn for arn in known if arn.split(":")[3:5] == [caller.region, caller.account]]
