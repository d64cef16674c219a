"""The address of a review, as an approval shows it."""

import pytest

from delivery.publication import console


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("eu-central-1", "aws", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "aws-cn", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "aws-us-gov", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_it_is_a_page_of_the_partitions_own_console(region: str, partition: str, host: str) -> None:
    """It names the object, carries no signature, and leaves room for the rest of an approval."""
    found = console(region, partition, "acme-artifacts", "reviews/abc.html")

    assert found == f"https://{host}/s3/object/acme-artifacts?region={region}&prefix=reviews%2Fabc.html"
