"""API Gateway's REST APIs: imported OpenAPI documents, served over HTTP."""

from rehearsal.gateway.service import Gateway

__all__ = ["Gateway"]
