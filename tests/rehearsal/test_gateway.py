"""REST APIs imported from OpenAPI documents answer over HTTP as API Gateway does."""

import base64
import http.client
import io
import json
import socket
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.exceptions import ClientError

from rehearsal.cloud import Cloud
from rehearsal.functions import Functions
from rehearsal.gateway import Gateway

ACCOUNT, REGION = "123456789012", "eu-central-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
SOURCE = """
import json, time
def handler(event, context):
    answer = json.loads((event["queryStringParameters"] or {}).get("answer", "null"))
    if answer == "raise":
        raise ValueError("no")
    if answer == "sleep":
        time.sleep(20)
    if answer is not None:
        return answer
    return {"statusCode": 200, "body": json.dumps(event)}
"""


def integration(function: str = FUNCTION, **more: Any) -> dict[str, Any]:
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    return {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": uri} | more}


MESSAGE = {
    "type": "object",
    "required": ["message", "to"],
    "additionalProperties": False,
    "properties": {
        "message": {"type": "string", "minLength": 1, "maxLength": 5},
        "to": {"$ref": "#/components/schemas/Person"},
        "weight": {},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "echo", "version": "1", "description": "Everything comes back."},
    "x-amazon-apigateway-request-validators": {
        "all": {"validateRequestBody": True, "validateRequestParameters": True},
    },
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    "components": {
        "schemas": {"Message": MESSAGE, "Person": {"type": "string", "enum": ["ann", "bob"]}},
    },
    "paths": {
        "/": {"get": integration()},
        "/items/{id}": {
            "parameters": [{"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}],
            "get": integration(),
        },
        "/items/first": {"get": integration()},
        "/files/{proxy+}": {"x-amazon-apigateway-any-method": integration()},
        "/search": {
            "get": integration()
            | {
                "x-amazon-apigateway-request-validator": "all",
                "parameters": [
                    {"in": "query", "name": "q", "required": True, "schema": {"type": "string"}},
                    {"in": "header", "name": "X-Tenant", "required": True, "schema": {"type": "string"}},
                ],
            }
        },
        "/messages": {
            "post": integration()
            | {
                "x-amazon-apigateway-request-validator": "all",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Message"}}}},
            },
            "options": {
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 204}'},
                    "responses": {
                        "default": {
                            "statusCode": "204",
                            "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
                        }
                    },
                }
            },
        },
        "/strict": {
            "post": integration(passthroughBehavior="never")
            | {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}
        },
        "/quick": {"get": integration(timeoutInMillis=100)},
        "/live": {"get": integration(f"{FUNCTION}:live")},
        "/variable": {"get": integration(f"{FUNCTION}:${{stageVariables.alias}}")},
        "/http": {
            "get": integration() | {"x-amazon-apigateway-integration": {"type": "http_proxy", "uri": "http://x"}}
        },
        "/secret": {"get": integration() | {"security": [{"key": []}]}},
    },
}
DOCUMENT["components"]["securitySchemes"] = {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}


class Api:
    """A REST API of the cloud, its stage ``dev``, and clients to change both."""

    def __init__(self, cloud: Cloud, document: dict[str, Any]) -> None:
        self.cloud, self.client = cloud, cloud.client("apigateway")
        self.id = self.client.import_rest_api(body=json.dumps(document))["id"]
        self.deployment = self.deploy()
        self.client.create_stage(restApiId=self.id, stageName="dev", deploymentId=self.deployment)
        cloud.client("lambda").add_permission(
            FunctionName="echo",
            StatementId=self.id,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}/*/*",
        )

    def deploy(self) -> str:
        deployment: str = self.client.create_deployment(restApiId=self.id)["id"]
        return deployment

    def put(self, document: dict[str, Any], mode: str = "overwrite") -> None:
        self.client.put_rest_api(restApiId=self.id, mode=mode, body=json.dumps(document))

    def stage(self, **replaced: str) -> None:
        operations = [{"op": "replace", "path": path, "value": value} for path, value in replaced.items()]
        self.client.update_stage(restApiId=self.id, stageName="dev", patchOperations=operations)

    @property
    def url(self) -> str:
        return f"{self.cloud.endpoint}/execute-api/{self.id}/dev"

    def event(self, path: str = "/", method: str = "GET", **more: Any) -> Any:
        """Return the event that the function got for a request."""
        response = requests.request(method, self.url + path, timeout=20, **more)
        assert response.status_code == 200, response.text
        return response.json()

    def answer(self, answer: Any, **more: Any) -> requests.Response:
        """Return the response to a request whose function returned ``answer``."""
        return requests.get(f"{self.url}/", params={"answer": json.dumps(answer)}, timeout=20, **more)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(account=ACCOUNT, region=REGION) as cloud:
        functions = Functions(cloud, tmp_path_factory.mktemp("rehearsal"))
        cloud.routes += [functions, Gateway(cloud, functions)]
        role = cloud.client("iam").create_role(RoleName="echo", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
            "Arn"
        ]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("index.py", SOURCE)
        cloud.client("lambda").create_function(
            FunctionName="echo",
            Runtime="python3.13",
            Handler="index.handler",
            Role=role,
            Code={"ZipFile": buffer.getvalue()},
            Publish=True,
        )
        cloud.client("lambda").create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
        yield cloud
        functions.close()


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    return Api(cloud, DOCUMENT)


def test_a_request_becomes_the_documented_event(api: Api) -> None:
    """The function gets format 1.0 of the proxy event, as if the request had come through AWS's front."""
    event = api.event("/items/a%20b?x=1&x=2&y=%C3%A4", headers={"X-Custom": "yes"})
    domain = f"{api.id}.execute-api.{REGION}.amazonaws.com"
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/items/{id}", "/items/a%20b", "GET")
    assert event["pathParameters"] == {"id": "a%20b"}
    assert event["queryStringParameters"] == {"x": "2", "y": "ä"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": ["ä"]}
    assert event["headers"]["X-Custom"] == "yes"
    assert event["multiValueHeaders"]["X-Custom"] == ["yes"]
    assert event["headers"]["Host"] == domain
    assert event["headers"]["X-Forwarded-Proto"] == "https"
    assert event["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == (None, False, None)
    context = event["requestContext"]
    assert context["path"] == "/dev/items/a%20b"
    assert (context["stage"], context["apiId"], context["accountId"]) == ("dev", api.id, ACCOUNT)
    assert (context["domainName"], context["domainPrefix"]) == (domain, api.id)
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["resourcePath"] == "/items/{id}"


def test_bodies_arrive_as_text_or_base64(api: Api) -> None:
    """A body is text unless its type is one of the API's binary media types."""
    text = api.event("/files/a", "POST", data="größe".encode(), headers={"Content-Type": "text/plain"})
    assert (text["body"], text["isBase64Encoded"]) == ("größe", False)
    binary = api.event("/files/a", "PUT", data=b"\xff\x00", headers={"Content-Type": "image/png"})
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\xff\x00", True)


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("", "/", None),
        ("/", "/", None),
        ("/items/first", "/items/first", None),
        ("/items/second", "/items/{id}", {"id": "second"}),
        ("/items/second/", "/items/{id}", {"id": "second"}),
        ("/files/a/b/c.txt", "/files/{proxy+}", {"proxy": "a/b/c.txt"}),
    ],
)
def test_the_most_specific_path_wins(api: Api, path: str, resource: str, parameters: dict[str, str] | None) -> None:
    """Literals come before parameters, and those before greedy ones."""
    event = api.event(path)
    assert (event["resource"], event["pathParameters"]) == (resource, parameters)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/absent"), ("DELETE", "/items/1"), ("GET", "/files/"), ("HEAD", "/")]
)
def test_an_unknown_route_is_forbidden(api: Api, method: str, path: str) -> None:
    """No such method or resource is AWS's well-known 403."""
    response = requests.request(method, api.url + path, timeout=20)
    assert response.status_code == 403
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    if method != "HEAD":
        assert response.json() == {"message": "Missing Authentication Token"}


@pytest.mark.parametrize(
    "path", ["/execute-api/absent/dev/", "/execute-api/{id}/absent/", "/execute-api/", "/execute-api/{id}"]
)
def test_an_unknown_stage_is_forbidden(api: Api, path: str) -> None:
    """Neither an unknown API nor an unknown stage is told apart."""
    response = requests.get(api.cloud.endpoint + path.format(id=api.id), timeout=20)
    assert (response.status_code, response.json()) == (403, {"message": "Forbidden"})


def test_the_function_decides_the_response(api: Api) -> None:
    """Status, headers of both kinds and body are the function's."""
    answer = {
        "statusCode": 201,
        "headers": {"Content-Type": "text/html", "X-One": 1, "Server": "mine", "Set-Cookie": "a=1"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "<p>ä</p>",
    }
    response = api.answer(answer)
    assert (response.status_code, response.content.decode()) == (201, "<p>ä</p>")
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["X-One"] == "1"
    assert response.headers["x-amzn-Remapped-Server"] == "mine"
    assert response.raw.headers.getlist("Set-Cookie") == ["a=1", "b=2"]
    assert response.headers["x-amzn-RequestId"]
    assert response.headers["x-amz-apigw-id"]


def test_a_response_without_type_is_json(api: Api) -> None:
    """AWS's default content type is application/json."""
    response = api.answer({"statusCode": 200, "body": "{}"})
    assert response.headers["Content-Type"] == "application/json"


def test_binary_responses_need_the_clients_consent(api: Api) -> None:
    """Base64 is decoded only for a client that accepts one of the API's binary media types first."""
    answer = {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "/wA=", "isBase64Encoded": True}
    assert api.answer(answer, headers={"Accept": "image/png"}).content == b"\xff\x00"
    assert api.answer(answer, headers={"Accept": "text/html"}).content == b"/wA="


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        [],
        {"statusCode": "many"},
        {"statusCode": 1000},
        {"statusCode": 101},
        {"statusCode": 200, "body": {"no": "string"}},
        {"statusCode": 200, "headers": {"X-Split": "a\r\nSet-Cookie: b"}},
        {"statusCode": 200, "headers": {"X Split": "a"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "surprise": 1},
        "raise",
    ],
)
def test_a_malformed_answer_is_a_bad_gateway(api: Api, answer: Any) -> None:
    """What is no response, or an error of the function, is 502."""
    response = api.answer(answer)
    assert (response.status_code, response.json()) == (502, {"message": "Internal server error"})


def test_an_integration_that_takes_too_long_times_out(api: Api) -> None:
    """The client gets 504 when the integration's time is over."""
    response = requests.get(f"{api.url}/quick", params={"answer": '"sleep"'}, timeout=20)
    assert (response.status_code, response.json()) == (504, {"message": "Endpoint request timed out"})


@pytest.mark.parametrize("path", ["/live", "/variable"])
def test_without_permission_nothing_is_invoked(cloud: Cloud, api: Api, path: str) -> None:
    """The permission on a function is none on its alias; with one on the alias, the alias answers."""
    api.stage(**{"/variables/alias": "live"})
    response = requests.get(api.url + path, timeout=20)
    assert (response.status_code, response.json()) == (500, {"message": "Internal server error"})
    client, alias = cloud.client("lambda"), {"FunctionName": "echo", "Qualifier": "live", "StatementId": "alias"}
    for source, status in [("other/*/*", 500), (f"{api.id}/prod/*", 500), (f"{api.id}/dev/GET{path}", 200)]:
        client.add_permission(
            **alias,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{source}",
        )
        assert requests.get(api.url + path, timeout=20).status_code == status
        client.remove_permission(**alias)
    assert requests.get(api.url + path, timeout=20).status_code == 500


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"message": "hi", "to": "ann"}, 200),
        ({"message": "hi"}, 400),
        ({"message": "", "to": "ann"}, 400),
        ({"message": "too long", "to": "ann"}, 400),
        ({"message": "hi", "to": "eve"}, 400),
        ({"message": "hi", "to": "ann", "more": 1}, 400),
        ([], 400),
        (b"", 400),
        (b"{", 400),
        (b'{"message": "hi", "to": "ann", "weight": NaN}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe\x00", 400),
    ],
)
def test_bodies_are_validated(api: Api, body: Any, status: int) -> None:
    """A body that breaks its model never reaches the function."""
    data = body if isinstance(body, bytes) else json.dumps(body)
    response = requests.post(
        f"{api.url}/messages", data=data, headers={"Content-Type": "application/json; charset=utf-8"}, timeout=20
    )
    assert response.status_code == status
    if status == 400:
        assert response.json() == {"message": "Invalid request body"}


def test_required_parameters_are_validated(api: Api) -> None:
    """Missing and blank parameters are named."""
    response = requests.get(f"{api.url}/search?q=%20", timeout=20)
    assert response.status_code == 400
    assert response.json() == {"message": "Missing required request parameters: [q, X-Tenant]"}
    assert api.event("/search?q=x", headers={"X-Tenant": "t"})["resource"] == "/search"


def test_an_unsupported_type_is_refused_where_the_api_is_strict(api: Api) -> None:
    """With passthroughBehavior never, a type without a model is 415."""
    response = requests.post(f"{api.url}/strict", data="x", headers={"Content-Type": "text/plain"}, timeout=20)
    assert (response.status_code, response.json()) == (415, {"message": "Unsupported Media Type"})


def test_large_bodies_are_refused(api: Api) -> None:
    """Ten megabytes are API Gateway's limit."""
    response = requests.post(f"{api.url}/files/a", data=b"x" * 10_485_761, timeout=20)
    assert (response.status_code, response.json()) == (413, {"message": "Request Too Long"})


def test_a_mock_answers_the_preflight(api: Api) -> None:
    """A mock integration with static values needs no function."""
    response = requests.options(f"{api.url}/messages", timeout=20)
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (204, "*")


@pytest.mark.parametrize(("path", "name"), [("/http", "http_proxy"), ("/secret", "security scheme key")])
def test_what_is_not_emulated_is_named(api: Api, path: str, name: str) -> None:
    """No other kind of integration or protection is passed over in silence."""
    response = requests.get(api.url + path, timeout=20)
    assert response.status_code == 501
    assert "the rehearsal does not emulate" in response.json()["message"]
    assert name in response.json()["message"]


CUSTOM = {
    "BAD_REQUEST_BODY": {
        "statusCode": "422",
        "responseTemplates": {
            "application/json": '{"detail": "$context.error.message", "id": "$context.requestId", '
            '"text": $context.error.messageString, "why": "$context.error.validationErrorString"}'
        },
        "responseParameters": {
            "gatewayresponse.header.Content-Type": "'application/problem+json'",
            "gatewayresponse.header.X-Origin": "method.request.header.Origin",
        },
    },
    "DEFAULT_4XX": {"responseTemplates": {"application/json": '{"code": "$context.error.responseType"}'}},
    "DEFAULT_5XX": {"responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}},
}


def test_gateway_responses_are_customized(cloud: Cloud) -> None:
    """Template, status and headers are the API's, for the kind itself or for its family."""
    api = Api(cloud, DOCUMENT | {"x-amazon-apigateway-gateway-responses": CUSTOM})
    headers = {"Content-Type": "application/json", "Origin": "https://example.org"}
    response = requests.post(f"{api.url}/messages", data='{"message": 1, "to": "ann"}', headers=headers, timeout=20)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Origin"] == "https://example.org"
    assert response.headers["x-amzn-RequestId"] in response.text
    assert "instance type (integer) does not match any allowed primitive type" in response.text
    assert '"text": "Invalid request body"' in response.text
    unknown = requests.get(f"{api.url}/absent", timeout=20)
    assert (unknown.status_code, unknown.json()) == (403, {"code": "MISSING_AUTHENTICATION_TOKEN"})
    broken = api.answer("raise")
    assert (broken.status_code, broken.headers["Access-Control-Allow-Origin"]) == (502, "*")


def test_missing_properties_are_named_together(cloud: Cloud) -> None:
    """The validator's own words say what an object lacks."""
    template = {"responseTemplates": {"application/json": "$context.error.validationErrorString"}}
    api = Api(cloud, DOCUMENT | {"x-amazon-apigateway-gateway-responses": {"BAD_REQUEST_BODY": template}})
    response = requests.post(f"{api.url}/messages", data="{}", timeout=20)
    assert response.text == '[object has missing required properties (["message","to"])]'


def test_calls_beyond_the_burst_are_throttled(cloud: Cloud) -> None:
    """The method settings of the stage limit every method on its own."""
    api = Api(cloud, DOCUMENT)
    api.stage(**{"/*/*/throttling/rateLimit": "0.01", "/*/*/throttling/burstLimit": "2"})
    responses = [requests.get(f"{api.url}/", timeout=20) for _ in range(3)]
    assert [each.status_code for each in responses] == [200, 200, 429]
    assert responses[-1].json() == {"message": "Too Many Requests"}
    assert requests.get(f"{api.url}/items/1", timeout=20).status_code == 200
    api.stage(**{"/~1items~1{id}/GET/throttling/rateLimit": "0", "/~1items~1{id}/GET/throttling/burstLimit": "0"})
    assert requests.get(f"{api.url}/items/1", timeout=20).status_code == 429


def test_fifty_connections_at_once_are_all_answered(api: Api) -> None:
    """Each gets the answers to its own requests, over one connection."""

    def talk(number: int) -> list[str]:
        with requests.Session() as session:
            urls = [f"{api.url}/items/{number}-{turn}" for turn in range(4)]
            return [session.get(url, timeout=30).json()["pathParameters"]["id"] for url in urls]

    with ThreadPoolExecutor(50) as executor:
        answers = list(executor.map(talk, range(50)))
    assert answers == [[f"{number}-{turn}" for turn in range(4)] for number in range(50)]


def test_of_calls_at_once_no_more_than_the_burst_get_through(cloud: Cloud) -> None:
    """However many come in the same moment."""
    api = Api(cloud, DOCUMENT)
    limits = {"/*/*/throttling/rateLimit": "0", "/*/*/throttling/burstLimit": "7"}
    api.stage(**limits)
    with ThreadPoolExecutor(50) as executor:
        statuses = list(executor.map(lambda _: requests.get(f"{api.url}/", timeout=30).status_code, range(50)))
    assert sorted(statuses) == [200] * 7 + [429] * 43


def test_a_deployment_is_a_snapshot(cloud: Cloud) -> None:
    """Clients see an import once it is deployed and the stage points there, and can be sent back."""
    api = Api(cloud, DOCUMENT)
    paths = {"/new": {"get": integration()}}
    api.put(DOCUMENT | {"paths": paths})
    assert requests.get(f"{api.url}/new", timeout=20).status_code == 403
    second = api.deploy()
    assert requests.get(f"{api.url}/new", timeout=20).status_code == 403
    api.stage(**{"/deploymentId": second})
    assert requests.get(f"{api.url}/new", timeout=20).status_code == 200
    assert requests.get(f"{api.url}/items/1", timeout=20).status_code == 403
    api.stage(**{"/deploymentId": api.deployment})
    assert requests.get(f"{api.url}/items/1", timeout=20).status_code == 200


def test_a_merge_keeps_what_it_does_not_mention(cloud: Cloud) -> None:
    """mode=merge adds paths to the API."""
    api = Api(cloud, DOCUMENT)
    api.put({"openapi": "3.0.1", "info": DOCUMENT["info"], "paths": {"/new": {"get": integration()}}}, mode="merge")
    api.stage(**{"/deploymentId": api.deploy()})
    assert requests.get(f"{api.url}/new", timeout=20).status_code == 200
    assert requests.get(f"{api.url}/items/1", timeout=20).status_code == 200


def test_a_deleted_api_is_gone(cloud: Cloud) -> None:
    """Nothing answers for an API that was deleted."""
    api = Api(cloud, DOCUMENT)
    api.client.delete_rest_api(restApiId=api.id)
    assert requests.get(f"{api.url}/", timeout=20).status_code == 403


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"swagger": "2.0"}', b'{"openapi": "3.0.1", "paths": []}', b"\xff", b"a: &a [*a]"]
)
def test_an_unfit_document_is_refused(api: Api, body: bytes) -> None:
    """What is no OpenAPI 3 document is refused at import, and the API stays as it was."""
    with pytest.raises(ClientError, match="BadRequestException"):
        api.client.put_rest_api(restApiId=api.id, mode="overwrite", body=body)
    assert api.event("/items/1")


def test_an_api_built_by_resources_answers_too(cloud: Cloud) -> None:
    """Without a document, the resources that were created one by one are served."""
    client = cloud.client("apigateway")
    id_ = client.create_rest_api(name="by hand", binaryMediaTypes=["image/png"])["id"]
    root = client.get_resources(restApiId=id_)["items"][0]["id"]
    resource = client.create_resource(restApiId=id_, parentId=root, pathPart="{proxy+}")["id"]
    method = {"restApiId": id_, "resourceId": resource, "httpMethod": "ANY"}
    client.put_method(**method, authorizationType="NONE")
    uri = integration()["x-amazon-apigateway-integration"]["uri"]
    client.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    client.create_deployment(restApiId=id_, stageName="dev")
    cloud.client("lambda").add_permission(
        FunctionName="echo", StatementId=id_, Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    response = requests.post(f"{cloud.endpoint}/execute-api/{id_}/dev/a/b", data="x", timeout=20)
    assert (response.status_code, response.json()["resource"]) == (200, "/{proxy+}")


@pytest.mark.parametrize(
    "target",
    [
        b"/%ff%00%0d%0a",
        b"/\xff\xfe",
        b"/items/%2e%2e%2f",
        b"/items/a?%ff=%zz&&=",
        b"/..//../",
        b"/items/[::",
        b"/?q=" + b"a" * 4000,
    ],
)
def test_odd_bytes_in_the_target_are_answered(api: Api, target: bytes) -> None:
    """Whatever the request line holds, the answer is the function's or a client error."""
    host, port = urlsplit(api.cloud.endpoint).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        path = f"/execute-api/{api.id}/dev".encode() + target
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: [\xff\r\nX-Odd: \xff\xfe\x01\r\nAccept: ,;q=\r\n\r\n")
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status in (200, 400, 403)


def test_a_strangers_header_calls_no_service(api: Api) -> None:
    """An API's own URL is nothing but the API, whatever the client claims to be."""
    headers = {
        "X-Amz-Target": "CodePipeline_20150709.ListPipelines",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=x/20260101/{REGION}/s3/aws4_request",
    }
    assert api.event("/", headers=headers)["resource"] == "/"
