"""Where what was deployed can be reached."""

from rehearsal.addresses import addresses
from rehearsal.cloud import Cloud


def test_addresses_come_in_the_order_of_the_pipeline() -> None:
    """What no stage deploys stands after them, by name."""
    with Cloud(account="111122223333", region="eu-west-1") as cloud:
        client = cloud.client("apigateway")
        for label in ("another", "dev", "prod", "staging"):
            api = client.create_rest_api(name=label, tags={"Environment": label})["id"]
            (root,) = client.get_resources(restApiId=api)["items"]
            place = {"restApiId": api, "resourceId": root["id"], "httpMethod": "GET"}
            client.put_method(**place, authorizationType="NONE")
            client.put_integration(**place, type="MOCK")
            client.create_deployment(restApiId=api, stageName="v1")
        order = ["dev", "staging", "prod"]
        found = addresses(client, endpoint=cloud.endpoint, tag="Environment", order=order)
    assert list(found) == ["dev", "staging", "prod", "another"]
