"""Uses lamina as people use AWS: through boto3, with its validation, its paginators and its waiters.

Each check that fails prints a line and makes the exit code 1."""

import io
import json
import sys
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, account, region = sys.argv[1:4]
session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="x", region_name=region)
config = Config(retries={"total_max_attempts": 1})
lam = session.client("lambda", endpoint_url=url, config=config)
failed = False


def check(what, got, want):
    global failed
    if got != want:
        failed = True
        print(f"{what}: got {got!r}, want {want!r}")


def refused(what, code, message, call, **arguments):
    try:
        answer = call(**arguments)
    except ClientError as e:
        check(what, (e.response["Error"]["Code"], e.response["Error"]["Message"]), (code, message))
    else:
        check(what, answer, code)


def archive(files):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        for name, text in files.items():
            z.writestr(name, text)
    return b.getvalue()


identity = session.client("sts", endpoint_url=url, config=config).get_caller_identity()
check("identity", (identity["Account"], identity["Arn"]), (account, f"arn:aws:iam::{account}:root"))

layer = archive({"python/m.py": "x = 1\n"})
arns = []
for number in 1, 2, 3:
    v = lam.publish_layer_version(LayerName="libs", Content={"ZipFile": layer}, CompatibleRuntimes=["python3.12"])
    check("version", v["Version"], number)
    arns.append(v["LayerVersionArn"])
check("layer ARN", v["LayerArn"], f"arn:aws:lambda:{region}:{account}:layer:libs")
check("download", urllib.request.urlopen(v["Content"]["Location"]).read(), layer)
by_arn = lam.get_layer_version_by_arn(Arn=arns[1])
check("by ARN", by_arn["Version"], 2)
check("by the layer's ARN", lam.get_layer_version(LayerName=v["LayerArn"], VersionNumber=2)["Version"], 2)
pages = lam.get_paginator("list_layer_versions").paginate(LayerName="libs", PaginationConfig={"PageSize": 2})
check("versions", [x["Version"] for p in pages for x in p["LayerVersions"]], [3, 2, 1])
check("layers", [x["LatestMatchingVersion"]["Version"] for x in lam.list_layers()["Layers"]], [3])
refused("version 0", "InvalidParameterValueException", "Layer Version Cannot be less than 1", lam.get_layer_version, LayerName="libs", VersionNumber=0)
refused("version 9", "ResourceNotFoundException", "The resource you requested does not exist.", lam.get_layer_version, LayerName="libs", VersionNumber=9)

code = archive({"lambda_function.py": "def lambda_handler(event, context):\n    return event\n"})
f = lam.create_function(FunctionName="f", Role=f"arn:aws:iam::{account}:role/r", Runtime="python3.12", Handler="lambda_function.lambda_handler",
                        Code={"ZipFile": code}, Environment={"Variables": {"KEY": "ü"}}, Tags={"a": "b"})
check("created", f["State"], "Pending")
lam.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 1})
lam.update_function_configuration(FunctionName="f", Layers=[arns[0]], Timeout=9)
lam.get_waiter("function_updated_v2").wait(FunctionName=f["FunctionArn"], WaiterConfig={"Delay": 1})
got = lam.get_function(FunctionName="f", Qualifier="$LATEST")
check("layers of the function", got["Configuration"]["Layers"], [{"Arn": arns[0], "CodeSize": len(layer)}])
check("variables", got["Configuration"]["Environment"], {"Variables": {"KEY": "ü"}})
check("qualified ARN", got["Configuration"]["FunctionArn"], f["FunctionArn"] + ":$LATEST")
check("tags", got["Tags"], {"a": "b"})
check("code", urllib.request.urlopen(got["Code"]["Location"]).read(), code)
check("functions", [x["FunctionName"] for p in lam.get_paginator("list_functions").paginate() for x in p["Functions"]], ["f"])
refused("exists", "ResourceConflictException", "Function already exist: f", lam.create_function, FunctionName="f",
        Role=f"arn:aws:iam::{account}:role/r", Runtime="python3.12", Handler="h.h", Code={"ZipFile": code})
refused("unknown", "ResourceNotFoundException", f"Function not found: {f['FunctionArn']}x:$LATEST", lam.get_function_configuration,
        FunctionName="fx", Qualifier="$LATEST")
refused("not built", "NotImplementedException", "lamina does not have the operation ListCapacityProviders yet; doc/compatibility.md lists what it has",
        lam.list_capacity_providers)

answer = lam.invoke(FunctionName="f", Payload=json.dumps({"a": 1}), LogType="Tail")
check("invoked", (answer["StatusCode"], answer["ExecutedVersion"], json.load(answer["Payload"])), (200, "$LATEST", {"answer": 42}))
check("log", answer["LogResult"], "U1RBUlQ=")
check("error", answer.get("FunctionError"), "Unhandled")
refused("event", "InvalidRequestContentException",
        "Could not parse request body into json: Could not parse payload into json: Unrecognized token 'x': was expecting (JSON String, Number, "
        "Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]",
        lam.invoke, FunctionName="f", Payload=b"x")

check("deleted", lam.delete_function(FunctionName="f")["StatusCode"], 204)
for number in 1, 1, 2:
    lam.delete_layer_version(LayerName="libs", VersionNumber=number)
check("left", [x["Version"] for x in lam.list_layer_versions(LayerName="libs")["LayerVersions"]], [3])
refused("another service", "NotImplementedException", "lamina does not have the AWS service \"dynamodb\". It answers lambda, s3 and sts; "
        "point other services at another endpoint.", session.client("dynamodb", endpoint_url=url, config=config).list_tables)
for service, call in ("sqs", "list_queues"), ("sns", "list_topics"), ("iam", "list_users"):
    try:
        getattr(session.client(service, endpoint_url=url, config=config), call)()
    except ClientError as e:
        check(service, e.response["Error"]["Code"], "NotImplementedException")
sys.exit(failed)
