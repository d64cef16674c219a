"""What exists in AWS, as CDKTF."""

from stacks import aws as aws
