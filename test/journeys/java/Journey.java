// The journey in Java: see ../journey.txt.

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.waiters.WaiterOverrideConfiguration;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.*;
import software.amazon.awssdk.services.lambda.model.Runtime;
import software.amazon.awssdk.services.lambda.waiters.LambdaWaiter;

public class Journey {
  static final String ROLE = "arn:aws:iam::000000000000:role/any";
  static final String STALE = "00000000-0000-0000-0000-000000000000";
  static final String PROFILE = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij";
  static final String ADA = "{\"name\":\"Ada\"}";

  // Retries are off: what is throttled shall be seen at once.
  final LambdaClient client =
      LambdaClient.builder()
          .credentialsProvider(EnvironmentVariableCredentialsProvider.create())
          .overrideConfiguration(o -> o.retryStrategy(DefaultRetryStrategy.doNotRetry()))
          .build();
  final LambdaWaiter waiter =
      LambdaWaiter.builder()
          .client(client)
          .overrideConfiguration(
              WaiterOverrideConfiguration.builder()
                  .maxAttempts(60)
                  .backoffStrategyV2(BackoffStrategy.fixedDelay(Duration.ofSeconds(1)))
                  .build())
          .build();
  final SdkBytes layer = read("layer.zip"), one = read("one.zip"), two = read("two.zip");
  String words;

  public static void main(String[] args) {
    Journey journey = new Journey();
    journey.layers();
    journey.functions();
    journey.versions();
    journey.settings();
    journey.end();
  }

  static SdkBytes read(String file) {
    try {
      return SdkBytes.fromByteArray(Files.readAllBytes(Path.of(file)));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  static void say(String step, Object... words) {
    String line = Stream.of(words).map(String::valueOf).collect(Collectors.joining(" "));
    System.out.println(step + ": " + line.replace("\n", " "));
  }

  static String yes(boolean fact) {
    return fact ? "yes" : "no";
  }

  /** Shows the items of pages of one item. */
  static <P, I> String pages(Iterable<P> pages, Function<P, List<I>> items, Function<I, Object> show) {
    StringBuilder all = new StringBuilder();
    for (P page : pages) {
      all.append(all.isEmpty() ? "" : " | ");
      all.append(items.apply(page).stream().map(i -> String.valueOf(show.apply(i))).collect(Collectors.joining(" ")));
    }
    return all.toString();
  }

  static void refused(String step, Class<? extends LambdaException> exception, Runnable call) {
    try {
      call.run();
    } catch (LambdaException e) {
      if (e.getClass() != exception) {
        throw e;
      }
      say(step, e.awsErrorDetails().errorCode(), e.statusCode(), e.awsErrorDetails().errorMessage());
      return;
    }
    throw new AssertionError(step + ": not refused");
  }

  /** Gives what stands between a member's quotes: the JSON of policies and payloads here is that simple. */
  static String member(String json, String name) {
    var found = Pattern.compile("\"" + name + "\":\\s*\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
    return found.find() ? found.group(1) : "none";
  }

  record Answer(InvokeResponse response, String payload, String log) {}

  Answer invoke(Consumer<InvokeRequest.Builder> request) {
    InvokeResponse r = client.invoke(b -> request.accept(b.logType(LogType.TAIL)));
    String log = new String(Base64.getDecoder().decode(r.logResult()), StandardCharsets.UTF_8);
    return new Answer(r, r.payload().asUtf8String(), log);
  }

  void layers() {
    var v =
        client.publishLayerVersion(
            r ->
                r.layerName("words").description("first").licenseInfo("MIT").content(c -> c.zipFile(layer))
                    .compatibleRuntimes(Runtime.PYTHON3_12, Runtime.PYTHON3_13)
                    .compatibleArchitectures(Architecture.X86_64));
    words = v.layerVersionArn();
    say("publish", words, v.version(), v.licenseInfo(), String.join(" ", v.compatibleRuntimesAsStrings()),
        String.join(" ", v.compatibleArchitecturesAsStrings()));
    say("publish again", client.publishLayerVersion(r -> r.layerName("words").content(c -> c.zipFile(layer))).version());
    client.publishLayerVersion(r -> r.layerName("tools").content(c -> c.zipFile(one)));
    var n = client.getLayerVersion(r -> r.layerName("words").versionNumber(1L));
    say("get by number", n.layerArn(), n.version());
    var a = client.getLayerVersionByArn(r -> r.arn(words));
    say("get by ARN", a.description(), yes(a.content().codeSize() == layer.asByteArray().length));
    say("list layers", pages(client.listLayersPaginator(r -> r.maxItems(1)), ListLayersResponse::layers,
        l -> l.layerName() + ":" + l.latestMatchingVersion().version()));
    say("list versions", layerVersions(null));
    say("list versions of a runtime", layerVersions(Runtime.PYTHON3_13));
    share();
    refused("no such version", ResourceNotFoundException.class, () -> client.getLayerVersion(r -> r.layerName("words").versionNumber(9L)));
    refused("no name", LambdaException.class, () -> client.publishLayerVersion(r -> r.layerName("no name").content(c -> c.zipFile(layer))));
  }

  String layerVersions(Runtime of) {
    return pages(client.listLayerVersionsPaginator(r -> r.layerName("words").maxItems(1).compatibleRuntime(of)),
        ListLayerVersionsResponse::layerVersions, LayerVersionsListItem::version);
  }

  void share() {
    Consumer<AddLayerVersionPermissionRequest.Builder> all =
        r -> r.layerName("words").versionNumber(1L).statementId("all").action("lambda:GetLayerVersion").principal("*");
    var added = client.addLayerVersionPermission(all);
    say("share", member(added.statement(), "Sid"));
    var policy = client.getLayerVersionPolicy(r -> r.layerName("words").versionNumber(1L));
    say("policy", member(policy.policy(), "Resource"), yes(policy.revisionId().equals(added.revisionId())));
    refused("share twice", ResourceConflictException.class, () -> client.addLayerVersionPermission(all));
    Consumer<RemoveLayerVersionPermissionRequest.Builder> remove = r -> r.layerName("words").versionNumber(1L).statementId("all");
    refused("unshare, stale", PreconditionFailedException.class,
        () -> client.removeLayerVersionPermission(remove.andThen(r -> r.revisionId(STALE))));
    client.removeLayerVersionPermission(remove);
    refused("policy, gone", ResourceNotFoundException.class,
        () -> client.getLayerVersionPolicy(r -> r.layerName("words").versionNumber(1L)));
  }

  CreateFunctionResponse create(String name, String layer) {
    return client.createFunction(
        r ->
            r.functionName(name).runtime(System.getenv("RUNTIME")).handler("app.handler").role(ROLE).timeout(60)
                .code(c -> c.zipFile(one)).layers(layer).tags(Map.of("team", "blue")));
  }

  void functions() {
    var created = create("f", words);
    say("create", created.functionArn(), created.state(), created.stateReasonCode());
    waiter.waitUntilFunctionExists(r -> r.functionName("f"));
    waiter.waitUntilFunctionActiveV2(GetFunctionRequest.builder().functionName("f").build());
    var got = client.getFunction(r -> r.functionName("f"));
    say("get", got.configuration().state(), got.configuration().lastUpdateStatus(), got.code().repositoryType(), got.tags().get("team"));
    refused("create twice", ResourceConflictException.class, () -> create("f", words));
    refused("no such layer", InvalidParameterValueException.class, () -> create("g", words.replaceFirst("1$", "9")));
    refused("no such function", ResourceNotFoundException.class, () -> client.getFunction(r -> r.functionName("nobody")));

    Answer a = invoke(r -> r.functionName("f").payload(SdkBytes.fromUtf8String(ADA)));
    say("invoke", a.response.statusCode(), a.response.executedVersion(), member(a.payload, "text"));
    String log = a.log;
    say("log tail", Stream.of("START", "greeting Ada", "END", "REPORT").filter(log::contains).toArray());
    say("dry run", client.invoke(r -> r.functionName("f").invocationType(InvocationType.DRY_RUN)).statusCode());
    a = invoke(r -> r.functionName("f").payload(SdkBytes.fromUtf8String("{}")));
    say("function error", a.response.statusCode(), a.response.functionError(), member(a.payload, "errorType"), member(a.payload, "errorMessage"));
    refused("no JSON", InvalidRequestContentException.class,
        () -> client.invoke(r -> r.functionName("f").payload(SdkBytes.fromUtf8String("no JSON"))));
    refused("too large", LambdaException.class,
        () -> client.invoke(r -> r.functionName("f").payload(SdkBytes.fromUtf8String('"' + "x".repeat(6 << 20) + '"'))));
  }

  void versions() {
    var v = client.publishVersion(r -> r.functionName("f").description("one"));
    say("publish version", v.functionArn(), v.version(), v.description());
    waiter.waitUntilPublishedVersionActive(r -> r.functionName("f").qualifier("1"));
    refused("update, stale", PreconditionFailedException.class,
        () -> client.updateFunctionCode(r -> r.functionName("f").zipFile(two).revisionId(STALE)));
    client.updateFunctionCode(r -> r.functionName("f").zipFile(two));
    waiter.waitUntilFunctionUpdatedV2(GetFunctionRequest.builder().functionName("f").build());
    client.updateFunctionConfiguration(r -> r.functionName("f").memorySize(256));
    waiter.waitUntilFunctionUpdatedV2(GetFunctionRequest.builder().functionName("f").build());
    v = client.publishVersion(r -> r.functionName("f"));
    say("publish version again", v.version(), v.memorySize());
    say("list versions of f", pages(client.listVersionsByFunctionPaginator(r -> r.functionName("f").maxItems(1)),
        ListVersionsByFunctionResponse::versions, FunctionConfiguration::version));

    var a = client.createAlias(r -> r.functionName("f").name("live").functionVersion("1"));
    say("create alias", a.aliasArn(), a.functionVersion());
    client.createAlias(r -> r.functionName("f").name("next").functionVersion("2"));
    say("list aliases", pages(client.listAliasesPaginator(r -> r.functionName("f").maxItems(1)), ListAliasesResponse::aliases,
        AliasConfiguration::name));
    Consumer<InvokeRequest.Builder> live = r -> r.functionName("f").qualifier("live").payload(SdkBytes.fromUtf8String(ADA));
    say("invoke live", member(invoke(live).payload, "text"));
    var weights = client.updateAlias(r -> r.functionName("f").name("live").routingConfig(c -> c.additionalVersionWeights(Map.of("2", 1.0))))
        .routingConfig().additionalVersionWeights();
    say("weights", weights.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray());
    Answer again = invoke(live);
    say("invoke live again", again.response.executedVersion(), member(again.payload, "text"));
    refused("delete a version in use", ResourceConflictException.class, () -> client.deleteFunction(r -> r.functionName("f").qualifier("2")));
  }

  void settings() {
    String arn = client.getFunctionConfiguration(r -> r.functionName("f")).functionArn();
    client.tagResource(r -> r.resource(arn).tags(Map.of("cost", "low")));
    client.untagResource(r -> r.resource(arn).tagKeys("team"));
    say("tags", client.listTags(r -> r.resource(arn)).tags().entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray());

    client.addPermission(r -> r.functionName("f").statementId("s3").action("lambda:InvokeFunction").principal("s3.amazonaws.com"));
    say("policy of f", member(client.getPolicy(r -> r.functionName("f")).policy(), "Service"));
    client.removePermission(r -> r.functionName("f").statementId("s3"));
    refused("policy of f, gone", ResourceNotFoundException.class, () -> client.getPolicy(r -> r.functionName("f")));

    say("reserve", client.putFunctionConcurrency(r -> r.functionName("f").reservedConcurrentExecutions(0)).reservedConcurrentExecutions());
    refused("throttled", TooManyRequestsException.class, () -> client.invoke(r -> r.functionName("f")));
    client.deleteFunctionConcurrency(r -> r.functionName("f"));
    say("nothing reserved", yes(client.getFunctionConcurrency(r -> r.functionName("f")).reservedConcurrentExecutions() == null));

    client.putFunctionEventInvokeConfig(r -> r.functionName("f").maximumRetryAttempts(1));
    client.putFunctionEventInvokeConfig(r -> r.functionName("f").qualifier("live").maximumRetryAttempts(2));
    say("retries", pages(client.listFunctionEventInvokeConfigsPaginator(r -> r.functionName("f").maxItems(1)),
        ListFunctionEventInvokeConfigsResponse::functionEventInvokeConfigs,
        c -> c.functionArn().replaceFirst(".*:", "") + "=" + c.maximumRetryAttempts()));

    client.createFunctionUrlConfig(r -> r.functionName("f").authType(FunctionUrlAuthType.AWS_IAM));
    client.createFunctionUrlConfig(r -> r.functionName("f").qualifier("live").authType(FunctionUrlAuthType.AWS_IAM));
    say("URLs", pages(client.listFunctionUrlConfigsPaginator(r -> r.functionName("f").maxItems(1)),
        ListFunctionUrlConfigsResponse::functionUrlConfigs, c -> c.functionArn().replaceFirst(".*:", "")));
    client.updateAlias(r -> r.functionName("f").name("live").routingConfig(c -> c.additionalVersionWeights(Map.of()))); // no weights beside what is provisioned
    client.putProvisionedConcurrencyConfig(r -> r.functionName("f").qualifier("live").provisionedConcurrentExecutions(1));
    client.putProvisionedConcurrencyConfig(r -> r.functionName("f").qualifier("next").provisionedConcurrentExecutions(2));
    say("provisioned", pages(client.listProvisionedConcurrencyConfigsPaginator(r -> r.functionName("f").maxItems(1)),
        ListProvisionedConcurrencyConfigsResponse::provisionedConcurrencyConfigs,
        c -> c.functionArn().replaceFirst(".*:", "") + "=" + c.requestedProvisionedConcurrentExecutions()));
    client.createCodeSigningConfig(r -> r.description("strict").allowedPublishers(p -> p.signingProfileVersionArns(PROFILE)));
    say("signing", pages(client.listCodeSigningConfigsPaginator(r -> r.maxItems(1)), ListCodeSigningConfigsResponse::codeSigningConfigs,
        CodeSigningConfig::description));

    create("g", words);
    say("list functions", pages(client.listFunctionsPaginator(r -> r.maxItems(1)), ListFunctionsResponse::functions,
        FunctionConfiguration::functionName));
    var s = client.getAccountSettings(r -> {});
    say("account", s.accountLimit().codeSizeUnzipped(), s.accountUsage().functionCount());
  }

  void end() {
    client.deleteAlias(r -> r.functionName("f").name("live"));
    client.deleteFunction(r -> r.functionName("f").qualifier("1"));
    client.deleteFunction(r -> r.functionName("f"));
    refused("get f, gone", ResourceNotFoundException.class, () -> client.getFunctionConfiguration(r -> r.functionName("f")));
    client.deleteLayerVersion(r -> r.layerName("words").versionNumber(1L));
    client.deleteLayerVersion(r -> r.layerName("words").versionNumber(1L));
    say("layers left", layerVersions(null));
    waiter.waitUntilFunctionActiveV2(GetFunctionRequest.builder().functionName("g").build());
    say("g still runs", member(invoke(r -> r.functionName("g").payload(SdkBytes.fromUtf8String(ADA))).payload, "text"));
  }
}
