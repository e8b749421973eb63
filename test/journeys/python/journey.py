"""The journey in Python: see ../journey.txt."""
import base64
import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/any"
PROFILE = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"
client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
layer, one, two = (open(f, "rb").read() for f in ("layer.zip", "one.zip", "two.zip"))


def say(step, *words):
    print(f"{step}: {' '.join(str(w).replace(chr(10), ' ') for w in words)}")


def yes(fact):
    return "yes" if fact else "no"


def pages(operation, member, show, **kwargs):
    """Asks for pages of one item, and shows what is on each."""
    answers = client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **kwargs)
    return " | ".join(" ".join(show(item) for item in page[member]) for page in answers)


def refused(step, call, exception=None):
    try:
        call()
    except ClientError as e:
        typed = getattr(client.exceptions, exception) if exception else ClientError
        assert type(e) is typed, f"{step}: {type(e)} is not {typed}"
        say(step, e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Message"])
    else:
        raise AssertionError(f"{step}: not refused")


def wait(waiter, **kwargs):
    client.get_waiter(waiter).wait(WaiterConfig={"Delay": 1, "MaxAttempts": 60}, **kwargs)


def invoke(**kwargs):
    answer = client.invoke(LogType="Tail", **kwargs)
    return answer, json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode()


# Layers

v = client.publish_layer_version(LayerName="words", Description="first", LicenseInfo="MIT", Content={"ZipFile": layer},
                                 CompatibleRuntimes=["python3.12", "python3.13"], CompatibleArchitectures=["x86_64"])
words = v["LayerVersionArn"]
say("publish", words, v["Version"], v["LicenseInfo"], *v["CompatibleRuntimes"], *v["CompatibleArchitectures"])
v = client.publish_layer_version(LayerName="words", Content={"ZipFile": layer})
say("publish again", v["Version"])
client.publish_layer_version(LayerName="tools", Content={"ZipFile": one})
v = client.get_layer_version(LayerName="words", VersionNumber=1)
say("get by number", v["LayerArn"], v["Version"])
v = client.get_layer_version_by_arn(Arn=words)
say("get by ARN", v["Description"], yes(v["Content"]["CodeSize"] == len(layer)))
say("list layers", pages("list_layers", "Layers", lambda l: f"{l['LayerName']}:{l['LatestMatchingVersion']['Version']}"))
say("list versions", pages("list_layer_versions", "LayerVersions", lambda v: str(v["Version"]), LayerName="words"))
say("list versions of a runtime", pages("list_layer_versions", "LayerVersions", lambda v: str(v["Version"]), LayerName="words",
                                        CompatibleRuntime="python3.13"))

permission = dict(LayerName="words", VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
a = client.add_layer_version_permission(**permission)
say("share", json.loads(a["Statement"])["Sid"])
p = client.get_layer_version_policy(LayerName="words", VersionNumber=1)
say("policy", json.loads(p["Policy"])["Statement"][0]["Resource"], yes(p["RevisionId"] == a["RevisionId"]))
refused("share twice", lambda: client.add_layer_version_permission(**permission), "ResourceConflictException")
refused("unshare, stale", lambda: client.remove_layer_version_permission(
    LayerName="words", VersionNumber=1, StatementId="all", RevisionId="00000000-0000-0000-0000-000000000000"), "PreconditionFailedException")
client.remove_layer_version_permission(LayerName="words", VersionNumber=1, StatementId="all")
refused("policy, gone", lambda: client.get_layer_version_policy(LayerName="words", VersionNumber=1), "ResourceNotFoundException")
refused("no such version", lambda: client.get_layer_version(LayerName="words", VersionNumber=9), "ResourceNotFoundException")
refused("no name", lambda: client.publish_layer_version(LayerName="no name", Content={"ZipFile": layer}))

# Functions

create = dict(FunctionName="f", Runtime=os.environ["RUNTIME"], Handler="app.handler", Role=ROLE, Timeout=60,
              Code={"ZipFile": one}, Layers=[words], Tags={"team": "blue"})
f = client.create_function(**create)
say("create", f["FunctionArn"], f["State"], f["StateReasonCode"])
wait("function_exists", FunctionName="f")
wait("function_active_v2", FunctionName="f")
f = client.get_function(FunctionName="f")
say("get", f["Configuration"]["State"], f["Configuration"]["LastUpdateStatus"], f["Code"]["RepositoryType"], f["Tags"]["team"])
refused("create twice", lambda: client.create_function(**create), "ResourceConflictException")
refused("no such layer", lambda: client.create_function(**{**create, "FunctionName": "g", "Layers": [words[:-1] + "9"]}),
        "InvalidParameterValueException")
refused("no such function", lambda: client.get_function(FunctionName="nobody"), "ResourceNotFoundException")

answer, payload, log = invoke(FunctionName="f", Payload=b'{"name":"Ada"}')
say("invoke", answer["StatusCode"], answer["ExecutedVersion"], payload["text"])
say("log tail", *(word for word in ("START", "greeting Ada", "END", "REPORT") if word in log))
say("dry run", client.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"])
answer, payload, log = invoke(FunctionName="f", Payload=b"{}")
say("function error", answer["StatusCode"], answer["FunctionError"], payload["errorType"], payload["errorMessage"])
refused("no JSON", lambda: client.invoke(FunctionName="f", Payload=b"no JSON"), "InvalidRequestContentException")
refused("too large", lambda: client.invoke(FunctionName="f", Payload=b'"' + b"x" * (6 << 20) + b'"'))

v = client.publish_version(FunctionName="f", Description="one")
say("publish version", v["FunctionArn"], v["Version"], v["Description"])
wait("published_version_active", FunctionName="f", Qualifier="1")
refused("update, stale", lambda: client.update_function_code(FunctionName="f", ZipFile=two, RevisionId="00000000-0000-0000-0000-000000000000"),
        "PreconditionFailedException")
client.update_function_code(FunctionName="f", ZipFile=two)
wait("function_updated_v2", FunctionName="f")
client.update_function_configuration(FunctionName="f", MemorySize=256)
wait("function_updated_v2", FunctionName="f")
v = client.publish_version(FunctionName="f")
say("publish version again", v["Version"], v["MemorySize"])
say("list versions of f", pages("list_versions_by_function", "Versions", lambda v: v["Version"], FunctionName="f"))

a = client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
say("create alias", a["AliasArn"], a["FunctionVersion"])
client.create_alias(FunctionName="f", Name="next", FunctionVersion="2")
say("list aliases", pages("list_aliases", "Aliases", lambda a: a["Name"], FunctionName="f"))
say("invoke live", invoke(FunctionName="f", Qualifier="live", Payload=b'{"name":"Ada"}')[1]["text"])
a = client.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
say("weights", *(f"{v}={w:.1f}" for v, w in a["RoutingConfig"]["AdditionalVersionWeights"].items()))
answer, payload, log = invoke(FunctionName="f", Qualifier="live", Payload=b'{"name":"Ada"}')
say("invoke live again", answer["ExecutedVersion"], payload["text"])
refused("delete a version in use", lambda: client.delete_function(FunctionName="f", Qualifier="2"), "ResourceConflictException")

arn = f["Configuration"]["FunctionArn"]
client.tag_resource(Resource=arn, Tags={"cost": "low"})
client.untag_resource(Resource=arn, TagKeys=["team"])
say("tags", *(f"{k}={v}" for k, v in client.list_tags(Resource=arn)["Tags"].items()))

client.add_permission(FunctionName="f", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
say("policy of f", json.loads(client.get_policy(FunctionName="f")["Policy"])["Statement"][0]["Principal"]["Service"])
client.remove_permission(FunctionName="f", StatementId="s3")
refused("policy of f, gone", lambda: client.get_policy(FunctionName="f"), "ResourceNotFoundException")

say("reserve", client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)["ReservedConcurrentExecutions"])
refused("throttled", lambda: client.invoke(FunctionName="f"), "TooManyRequestsException")
client.delete_function_concurrency(FunctionName="f")
say("nothing reserved", yes("ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="f")))

client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=1)
client.put_function_event_invoke_config(FunctionName="f", Qualifier="live", MaximumRetryAttempts=2)
say("retries", pages("list_function_event_invoke_configs", "FunctionEventInvokeConfigs",
                     lambda c: f"{c['FunctionArn'].split(':')[-1]}={c['MaximumRetryAttempts']}", FunctionName="f"))

for qualifier in ({}, {"Qualifier": "live"}):
    client.create_function_url_config(FunctionName="f", AuthType="AWS_IAM", **qualifier)
say("URLs", pages("list_function_url_configs", "FunctionUrlConfigs", lambda c: c["FunctionArn"].split(":")[-1], FunctionName="f"))
client.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})  # no weights beside what is provisioned
for alias, count in (("live", 1), ("next", 2)):
    client.put_provisioned_concurrency_config(FunctionName="f", Qualifier=alias, ProvisionedConcurrentExecutions=count)
say("provisioned", pages("list_provisioned_concurrency_configs", "ProvisionedConcurrencyConfigs",
                         lambda c: f"{c['FunctionArn'].split(':')[-1]}={c['RequestedProvisionedConcurrentExecutions']}", FunctionName="f"))
client.create_code_signing_config(Description="strict", AllowedPublishers={"SigningProfileVersionArns": [PROFILE]})
say("signing", pages("list_code_signing_configs", "CodeSigningConfigs", lambda c: c["Description"]))

client.create_function(**{**create, "FunctionName": "g"})
say("list functions", pages("list_functions", "Functions", lambda f: f["FunctionName"]))
s = client.get_account_settings()
say("account", s["AccountLimit"]["CodeSizeUnzipped"], s["AccountUsage"]["FunctionCount"])

# The end

client.delete_alias(FunctionName="f", Name="live")
client.delete_function(FunctionName="f", Qualifier="1")
client.delete_function(FunctionName="f")
refused("get f, gone", lambda: client.get_function_configuration(FunctionName="f"), "ResourceNotFoundException")
client.delete_layer_version(LayerName="words", VersionNumber=1)
client.delete_layer_version(LayerName="words", VersionNumber=1)
say("layers left", pages("list_layer_versions", "LayerVersions", lambda v: str(v["Version"]), LayerName="words"))
wait("function_active_v2", FunctionName="g")
say("g still runs", invoke(FunctionName="g", Payload=b'{"name":"Ada"}')[1]["text"])
