"""DynamoDB: moto's tables, with requests one after another, transactions that are undone, and AWS's own measures."""

from rehearsal.dynamodb.service import DynamoDB

__all__ = ["DynamoDB"]
