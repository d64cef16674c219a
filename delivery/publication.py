"""Where a review lies for those who have to read it, under a name that only its plan has."""

from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from delivery.aws import asking, client

PREFIX: Final = "reviews/"
SIGNED_SECONDS: Final = 7 * 24 * 3600
"""As long as a signature may last at most.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
"""

CONSOLES: Final = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
"""The consoles of partitions other than ``aws``."""


def publish(page: Path, bucket: str, plan_sha256: str) -> str:
    """Put the review ``page`` of a plan into ``bucket`` and return the address at which a person can open it.

    On AWS that is S3's console, which asks for a sign-in and never expires. An endpoint of one's own has no console, so
    there it is a signed link to the object. Raises ``DeliveryError`` when it cannot be put there.
    """
    key = f"{PREFIX}{plan_sha256}.html"
    with asking(f"the review cannot be put into bucket {bucket}"):
        s3 = client("s3")
        s3.put_object(Bucket=bucket, Key=key, Body=page.read_bytes(), ContentType="text/html; charset=utf-8")
        if (urlsplit(s3.meta.endpoint_url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return console(s3.meta.region_name, s3.meta.partition, bucket, key)
        place = {"Bucket": bucket, "Key": key}
        return str(s3.generate_presigned_url("get_object", Params=place, ExpiresIn=SIGNED_SECONDS))


def console(region: str, partition: str, bucket: str, key: str) -> str:
    """Return the address of an object in S3's console."""
    host = CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{host}/s3/object/{bucket}?region={region}&prefix={quote(key, safe='')}"
