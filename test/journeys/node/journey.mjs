// The journey in JavaScript: see ../journey.txt.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import * as sdk from "@aws-sdk/client-lambda";

const role = "arn:aws:iam::000000000000:role/any";
const profile = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij";
const client = new sdk.LambdaClient({ maxAttempts: 1 });
const [layer, one, two] = ["layer.zip", "one.zip", "two.zip"].map((f) => readFileSync(f));
const stale = "00000000-0000-0000-0000-000000000000";

const call = (operation, input) => client.send(new sdk[operation + "Command"](input));
const say = (step, ...words) => console.log(`${step}: ${words.join(" ").replaceAll("\n", " ")}`);
const yes = (fact) => (fact ? "yes" : "no");
const text = (bytes) => Buffer.from(bytes).toString();

// pages asks for pages of one item, and shows what is on each.
async function pages(operation, member, show, input = {}) {
  const all = [];
  for await (const page of sdk["paginate" + operation]({ client, pageSize: 1 }, input)) all.push(page[member].map(show).join(" "));
  return all.join(" | ");
}

async function refused(step, operation, input, exception = "LambdaServiceException") {
  await assert.rejects(call(operation, input), (e) => {
    assert.equal(e.constructor, sdk[exception], `${step}: ${e}`);
    say(step, e.name, e.$metadata.httpStatusCode, e.message);
    return true;
  });
}

const wait = (waiter, input) => sdk["waitUntil" + waiter]({ client, minDelay: 1, maxDelay: 1, maxWaitTime: 60 }, input);

async function invoke(input) {
  const answer = await call("Invoke", { LogType: "Tail", ...input });
  return [answer, JSON.parse(text(answer.Payload)), Buffer.from(answer.LogResult, "base64").toString()];
}

// Layers

let v = await call("PublishLayerVersion", {
  LayerName: "words", Description: "first", LicenseInfo: "MIT", Content: { ZipFile: layer },
  CompatibleRuntimes: ["python3.12", "python3.13"], CompatibleArchitectures: ["x86_64"],
});
const words = v.LayerVersionArn;
say("publish", words, v.Version, v.LicenseInfo, ...v.CompatibleRuntimes, ...v.CompatibleArchitectures);
v = await call("PublishLayerVersion", { LayerName: "words", Content: { ZipFile: layer } });
say("publish again", v.Version);
await call("PublishLayerVersion", { LayerName: "tools", Content: { ZipFile: one } });
v = await call("GetLayerVersion", { LayerName: "words", VersionNumber: 1 });
say("get by number", v.LayerArn, v.Version);
v = await call("GetLayerVersionByArn", { Arn: words });
say("get by ARN", v.Description, yes(v.Content.CodeSize === layer.length));
say("list layers", await pages("ListLayers", "Layers", (l) => `${l.LayerName}:${l.LatestMatchingVersion.Version}`));
say("list versions", await pages("ListLayerVersions", "LayerVersions", (v) => v.Version, { LayerName: "words" }));
say("list versions of a runtime", await pages("ListLayerVersions", "LayerVersions", (v) => v.Version,
  { LayerName: "words", CompatibleRuntime: "python3.13" }));

const version = { LayerName: "words", VersionNumber: 1 };
const permission = { ...version, StatementId: "all", Action: "lambda:GetLayerVersion", Principal: "*" };
const added = await call("AddLayerVersionPermission", permission);
say("share", JSON.parse(added.Statement).Sid);
const policy = await call("GetLayerVersionPolicy", version);
say("policy", JSON.parse(policy.Policy).Statement[0].Resource, yes(policy.RevisionId === added.RevisionId));
await refused("share twice", "AddLayerVersionPermission", permission, "ResourceConflictException");
await refused("unshare, stale", "RemoveLayerVersionPermission", { ...version, StatementId: "all", RevisionId: stale }, "PreconditionFailedException");
await call("RemoveLayerVersionPermission", { ...version, StatementId: "all" });
await refused("policy, gone", "GetLayerVersionPolicy", version, "ResourceNotFoundException");
await refused("no such version", "GetLayerVersion", { LayerName: "words", VersionNumber: 9 }, "ResourceNotFoundException");
await refused("no name", "PublishLayerVersion", { LayerName: "no name", Content: { ZipFile: layer } });

// Functions

const create = {
  FunctionName: "f", Runtime: process.env.RUNTIME, Handler: "app.handler", Role: role, Timeout: 60, Code: { ZipFile: one },
  Layers: [words], Tags: { team: "blue" },
};
let f = await call("CreateFunction", create);
say("create", f.FunctionArn, f.State, f.StateReasonCode);
await wait("FunctionExists", { FunctionName: "f" });
await wait("FunctionActiveV2", { FunctionName: "f" });
f = await call("GetFunction", { FunctionName: "f" });
say("get", f.Configuration.State, f.Configuration.LastUpdateStatus, f.Code.RepositoryType, f.Tags.team);
await refused("create twice", "CreateFunction", create, "ResourceConflictException");
await refused("no such layer", "CreateFunction", { ...create, FunctionName: "g", Layers: [words.replace(/1$/, "9")] }, "InvalidParameterValueException");
await refused("no such function", "GetFunction", { FunctionName: "nobody" }, "ResourceNotFoundException");

const ada = '{"name":"Ada"}';
let [answer, payload, log] = await invoke({ FunctionName: "f", Payload: ada });
say("invoke", answer.StatusCode, answer.ExecutedVersion, payload.text);
say("log tail", ...["START", "greeting Ada", "END", "REPORT"].filter((word) => log.includes(word)));
say("dry run", (await call("Invoke", { FunctionName: "f", InvocationType: "DryRun" })).StatusCode);
[answer, payload] = await invoke({ FunctionName: "f", Payload: "{}" });
say("function error", answer.StatusCode, answer.FunctionError, payload.errorType, payload.errorMessage);
await refused("no JSON", "Invoke", { FunctionName: "f", Payload: "no JSON" }, "InvalidRequestContentException");
await refused("too large", "Invoke", { FunctionName: "f", Payload: JSON.stringify("x".repeat(6 << 20)) });

v = await call("PublishVersion", { FunctionName: "f", Description: "one" });
say("publish version", v.FunctionArn, v.Version, v.Description);
await wait("PublishedVersionActive", { FunctionName: "f", Qualifier: "1" });
await refused("update, stale", "UpdateFunctionCode", { FunctionName: "f", ZipFile: two, RevisionId: stale }, "PreconditionFailedException");
await call("UpdateFunctionCode", { FunctionName: "f", ZipFile: two });
await wait("FunctionUpdatedV2", { FunctionName: "f" });
await call("UpdateFunctionConfiguration", { FunctionName: "f", MemorySize: 256 });
await wait("FunctionUpdatedV2", { FunctionName: "f" });
v = await call("PublishVersion", { FunctionName: "f" });
say("publish version again", v.Version, v.MemorySize);
say("list versions of f", await pages("ListVersionsByFunction", "Versions", (v) => v.Version, { FunctionName: "f" }));

let a = await call("CreateAlias", { FunctionName: "f", Name: "live", FunctionVersion: "1" });
say("create alias", a.AliasArn, a.FunctionVersion);
await call("CreateAlias", { FunctionName: "f", Name: "next", FunctionVersion: "2" });
say("list aliases", await pages("ListAliases", "Aliases", (a) => a.Name, { FunctionName: "f" }));
say("invoke live", (await invoke({ FunctionName: "f", Qualifier: "live", Payload: ada }))[1].text);
a = await call("UpdateAlias", { FunctionName: "f", Name: "live", RoutingConfig: { AdditionalVersionWeights: { 2: 1 } } });
say("weights", ...Object.entries(a.RoutingConfig.AdditionalVersionWeights).map(([v, w]) => `${v}=${w.toFixed(1)}`));
[answer, payload] = await invoke({ FunctionName: "f", Qualifier: "live", Payload: ada });
say("invoke live again", answer.ExecutedVersion, payload.text);
await refused("delete a version in use", "DeleteFunction", { FunctionName: "f", Qualifier: "2" }, "ResourceConflictException");

const Resource = f.Configuration.FunctionArn;
await call("TagResource", { Resource, Tags: { cost: "low" } });
await call("UntagResource", { Resource, TagKeys: ["team"] });
say("tags", ...Object.entries((await call("ListTags", { Resource })).Tags).map((kv) => kv.join("=")));

await call("AddPermission", { FunctionName: "f", StatementId: "s3", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com" });
say("policy of f", JSON.parse((await call("GetPolicy", { FunctionName: "f" })).Policy).Statement[0].Principal.Service);
await call("RemovePermission", { FunctionName: "f", StatementId: "s3" });
await refused("policy of f, gone", "GetPolicy", { FunctionName: "f" }, "ResourceNotFoundException");

say("reserve", (await call("PutFunctionConcurrency", { FunctionName: "f", ReservedConcurrentExecutions: 0 })).ReservedConcurrentExecutions);
await refused("throttled", "Invoke", { FunctionName: "f" }, "TooManyRequestsException");
await call("DeleteFunctionConcurrency", { FunctionName: "f" });
say("nothing reserved", yes((await call("GetFunctionConcurrency", { FunctionName: "f" })).ReservedConcurrentExecutions === undefined));

await call("PutFunctionEventInvokeConfig", { FunctionName: "f", MaximumRetryAttempts: 1 });
await call("PutFunctionEventInvokeConfig", { FunctionName: "f", Qualifier: "live", MaximumRetryAttempts: 2 });
say("retries", await pages("ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs",
  (c) => `${c.FunctionArn.split(":").at(-1)}=${c.MaximumRetryAttempts}`, { FunctionName: "f" }));

for (const Qualifier of [undefined, "live"]) await call("CreateFunctionUrlConfig", { FunctionName: "f", Qualifier, AuthType: "AWS_IAM" });
say("URLs", await pages("ListFunctionUrlConfigs", "FunctionUrlConfigs", (c) => c.FunctionArn.split(":").at(-1), { FunctionName: "f" }));
await call("UpdateAlias", { FunctionName: "f", Name: "live", RoutingConfig: { AdditionalVersionWeights: {} } }); // no weights beside what is provisioned
for (const [Qualifier, ProvisionedConcurrentExecutions] of [["live", 1], ["next", 2]])
  await call("PutProvisionedConcurrencyConfig", { FunctionName: "f", Qualifier, ProvisionedConcurrentExecutions });
say("provisioned", await pages("ListProvisionedConcurrencyConfigs", "ProvisionedConcurrencyConfigs",
  (c) => `${c.FunctionArn.split(":").at(-1)}=${c.RequestedProvisionedConcurrentExecutions}`, { FunctionName: "f" }));
await call("CreateCodeSigningConfig", { Description: "strict", AllowedPublishers: { SigningProfileVersionArns: [profile] } });
say("signing", await pages("ListCodeSigningConfigs", "CodeSigningConfigs", (c) => c.Description));

await call("CreateFunction", { ...create, FunctionName: "g" });
say("list functions", await pages("ListFunctions", "Functions", (f) => f.FunctionName));
const s = await call("GetAccountSettings", {});
say("account", s.AccountLimit.CodeSizeUnzipped, s.AccountUsage.FunctionCount);

// The end

await call("DeleteAlias", { FunctionName: "f", Name: "live" });
await call("DeleteFunction", { FunctionName: "f", Qualifier: "1" });
await call("DeleteFunction", { FunctionName: "f" });
await refused("get f, gone", "GetFunctionConfiguration", { FunctionName: "f" }, "ResourceNotFoundException");
await call("DeleteLayerVersion", version);
await call("DeleteLayerVersion", version);
say("layers left", await pages("ListLayerVersions", "LayerVersions", (v) => v.Version, { LayerName: "words" }));
await wait("FunctionActiveV2", { FunctionName: "g" });
say("g still runs", (await invoke({ FunctionName: "g", Payload: ada }))[1].text);
