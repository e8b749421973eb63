// Command go is the journey in Go: see ../journey.txt.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

const (
	role  = "arn:aws:iam::000000000000:role/any"
	stale = "00000000-0000-0000-0000-000000000000"
	ada   = `{"name":"Ada"}`

	profile = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"
)

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	defer stop()
	settings := must(config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(1)))
	t := &traveller{
		ctx: ctx, client: lambda.NewFromConfig(settings),
		layer: must(os.ReadFile("layer.zip")), one: must(os.ReadFile("one.zip")), two: must(os.ReadFile("two.zip")),
	}
	t.layers()
	t.functions()
	t.versions()
	t.settings()
	t.end()
}

type traveller struct {
	ctx             context.Context // of the whole journey
	client          *lambda.Client
	layer, one, two []byte
	words, function string // ARNs
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func say(step string, words ...any) {
	fmt.Printf("%s: %s\n", step, strings.ReplaceAll(strings.TrimSpace(fmt.Sprintln(words...)), "\n", " "))
}

func yes(fact bool) string {
	if fact {
		return "yes"
	}
	return "no"
}

// refused wants an exception of type E.
func refused[E error](step string, err error) {
	var typed E
	if !errors.As(err, &typed) {
		log.Fatalf("%s: %v is no %v", step, err, reflect.TypeFor[E]())
	}
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		log.Fatalf("%s: %v is no answer of an API", step, err)
	}
	say(step, api.ErrorCode(), response.HTTPStatusCode(), api.ErrorMessage())
}

// pager is any of the SDK's paginators.
type pager[Page any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*lambda.Options)) (Page, error)
}

// pages asks for pages of one item, and shows what is on each.
func pages[Page, Item any](t *traveller, p pager[Page], items func(Page) []Item, show func(Item) string) string {
	var all []string
	for p.HasMorePages() {
		var words []string
		for _, item := range items(must(p.NextPage(t.ctx))) {
			words = append(words, show(item))
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, " | ")
}

func (t *traveller) invoke(in *lambda.InvokeInput) (out *lambda.InvokeOutput, payload struct{ Text, ErrorType, ErrorMessage string }, tail string) {
	in.LogType = types.LogTypeTail
	out = must(t.client.Invoke(t.ctx, in))
	if err := json.Unmarshal(out.Payload, &payload); err != nil {
		log.Fatal(err)
	}
	return out, payload, string(must(base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))))
}

const patience = time.Minute

func (t *traveller) waitUpdated() {
	w := lambda.NewFunctionUpdatedV2Waiter(t.client, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = time.Second })
	done(w.Wait(t.ctx, &lambda.GetFunctionInput{FunctionName: aws.String("f")}, patience))
}

func (t *traveller) waitActive(name string) {
	w := lambda.NewFunctionActiveV2Waiter(t.client, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = time.Second })
	done(w.Wait(t.ctx, &lambda.GetFunctionInput{FunctionName: aws.String(name)}, patience))
}

// done wants that what was done went well.
func done(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func (t *traveller) layers() {
	v := must(t.client.PublishLayerVersion(t.ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String("words"), Description: aws.String("first"), LicenseInfo: aws.String("MIT"),
		Content:                 &types.LayerVersionContentInput{ZipFile: t.layer},
		CompatibleRuntimes:      []types.Runtime{types.RuntimePython312, types.RuntimePython313},
		CompatibleArchitectures: []types.Architecture{types.ArchitectureX8664},
	}))
	t.words = *v.LayerVersionArn
	say("publish", t.words, v.Version, *v.LicenseInfo, v.CompatibleRuntimes[0], v.CompatibleRuntimes[1], v.CompatibleArchitectures[0])
	publish := func(name string, zip []byte) (*lambda.PublishLayerVersionOutput, error) {
		return t.client.PublishLayerVersion(t.ctx, &lambda.PublishLayerVersionInput{LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: zip}})
	}
	say("publish again", must(publish("words", t.layer)).Version)
	must(publish("tools", t.one))
	n := must(t.client.GetLayerVersion(t.ctx, &lambda.GetLayerVersionInput{LayerName: aws.String("words"), VersionNumber: aws.Int64(1)}))
	say("get by number", *n.LayerArn, n.Version)
	a := must(t.client.GetLayerVersionByArn(t.ctx, &lambda.GetLayerVersionByArnInput{Arn: &t.words}))
	say("get by ARN", *a.Description, yes(a.Content.CodeSize == int64(len(t.layer))))
	say("list layers", pages(t, lambda.NewListLayersPaginator(t.client, &lambda.ListLayersInput{MaxItems: aws.Int32(1)}),
		func(p *lambda.ListLayersOutput) []types.LayersListItem { return p.Layers },
		func(l types.LayersListItem) string {
			return fmt.Sprintf("%s:%d", *l.LayerName, l.LatestMatchingVersion.Version)
		}))
	say("list versions", t.layerVersions(""))
	say("list versions of a runtime", t.layerVersions(types.RuntimePython313))
	t.share()
	_, err := t.client.GetLayerVersion(t.ctx, &lambda.GetLayerVersionInput{LayerName: aws.String("words"), VersionNumber: aws.Int64(9)})
	refused[*types.ResourceNotFoundException]("no such version", err)
	_, err = publish("no name", t.layer)
	refused[*smithy.GenericAPIError]("no name", err)
}

func (t *traveller) layerVersions(of types.Runtime) string {
	in := &lambda.ListLayerVersionsInput{LayerName: aws.String("words"), MaxItems: aws.Int32(1), CompatibleRuntime: of}
	return pages(t, lambda.NewListLayerVersionsPaginator(t.client, in),
		func(p *lambda.ListLayerVersionsOutput) []types.LayerVersionsListItem { return p.LayerVersions },
		func(v types.LayerVersionsListItem) string { return fmt.Sprint(v.Version) })
}

func (t *traveller) share() {
	words, all, one := aws.String("words"), aws.String("all"), aws.Int64(1)
	in := &lambda.AddLayerVersionPermissionInput{LayerName: words, VersionNumber: one, StatementId: all,
		Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*")}
	added := must(t.client.AddLayerVersionPermission(t.ctx, in))
	var statement struct{ Sid string }
	done(json.Unmarshal([]byte(*added.Statement), &statement))
	say("share", statement.Sid)
	get := func() (*lambda.GetLayerVersionPolicyOutput, error) {
		return t.client.GetLayerVersionPolicy(t.ctx, &lambda.GetLayerVersionPolicyInput{LayerName: words, VersionNumber: one})
	}
	p := must(get())
	var policy struct{ Statement []struct{ Resource string } }
	done(json.Unmarshal([]byte(*p.Policy), &policy))
	say("policy", policy.Statement[0].Resource, yes(*p.RevisionId == *added.RevisionId))
	_, err := t.client.AddLayerVersionPermission(t.ctx, in)
	refused[*types.ResourceConflictException]("share twice", err)
	remove := &lambda.RemoveLayerVersionPermissionInput{LayerName: words, VersionNumber: one, StatementId: all, RevisionId: aws.String(stale)}
	_, err = t.client.RemoveLayerVersionPermission(t.ctx, remove)
	refused[*types.PreconditionFailedException]("unshare, stale", err)
	remove.RevisionId = nil
	must(t.client.RemoveLayerVersionPermission(t.ctx, remove))
	_, err = get()
	refused[*types.ResourceNotFoundException]("policy, gone", err)
}

func (t *traveller) create(name, layer string) (*lambda.CreateFunctionOutput, error) {
	return t.client.CreateFunction(t.ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: types.Runtime(os.Getenv("RUNTIME")), Handler: aws.String("app.handler"), Role: aws.String(role),
		Timeout: aws.Int32(60), Code: &types.FunctionCode{ZipFile: t.one}, Layers: []string{layer}, Tags: map[string]string{"team": "blue"},
	})
}

func (t *traveller) functions() {
	f := aws.String("f")
	created := must(t.create("f", t.words))
	t.function = *created.FunctionArn
	say("create", t.function, created.State, created.StateReasonCode)
	done(lambda.NewFunctionExistsWaiter(t.client).Wait(t.ctx, &lambda.GetFunctionInput{FunctionName: f}, patience))
	t.waitActive("f")
	got := must(t.client.GetFunction(t.ctx, &lambda.GetFunctionInput{FunctionName: f}))
	say("get", got.Configuration.State, got.Configuration.LastUpdateStatus, *got.Code.RepositoryType, got.Tags["team"])
	_, err := t.create("f", t.words)
	refused[*types.ResourceConflictException]("create twice", err)
	_, err = t.create("g", strings.TrimSuffix(t.words, "1")+"9")
	refused[*types.InvalidParameterValueException]("no such layer", err)
	_, err = t.client.GetFunction(t.ctx, &lambda.GetFunctionInput{FunctionName: aws.String("nobody")})
	refused[*types.ResourceNotFoundException]("no such function", err)

	out, payload, tail := t.invoke(&lambda.InvokeInput{FunctionName: f, Payload: []byte(ada)})
	say("invoke", out.StatusCode, *out.ExecutedVersion, payload.Text)
	var said []any
	for _, word := range []string{"START", "greeting Ada", "END", "REPORT"} {
		if strings.Contains(tail, word) {
			said = append(said, word)
		}
	}
	say("log tail", said...)
	say("dry run", must(t.client.Invoke(t.ctx, &lambda.InvokeInput{FunctionName: f, InvocationType: types.InvocationTypeDryRun})).StatusCode)
	out, payload, _ = t.invoke(&lambda.InvokeInput{FunctionName: f, Payload: []byte("{}")})
	say("function error", out.StatusCode, *out.FunctionError, payload.ErrorType, payload.ErrorMessage)
	_, err = t.client.Invoke(t.ctx, &lambda.InvokeInput{FunctionName: f, Payload: []byte("no JSON")})
	refused[*types.InvalidRequestContentException]("no JSON", err)
	_, err = t.client.Invoke(t.ctx, &lambda.InvokeInput{FunctionName: f, Payload: []byte(`"` + strings.Repeat("x", 6<<20) + `"`)})
	refused[*smithy.GenericAPIError]("too large", err) // the model has another name for it than AWS
}

func (t *traveller) versions() {
	f := aws.String("f")
	v := must(t.client.PublishVersion(t.ctx, &lambda.PublishVersionInput{FunctionName: f, Description: aws.String("one")}))
	say("publish version", *v.FunctionArn, *v.Version, *v.Description)
	active := lambda.NewPublishedVersionActiveWaiter(t.client)
	done(active.Wait(t.ctx, &lambda.GetFunctionConfigurationInput{FunctionName: f, Qualifier: aws.String("1")}, patience))
	update := &lambda.UpdateFunctionCodeInput{FunctionName: f, ZipFile: t.two, RevisionId: aws.String(stale)}
	_, err := t.client.UpdateFunctionCode(t.ctx, update)
	refused[*types.PreconditionFailedException]("update, stale", err)
	update.RevisionId = nil
	must(t.client.UpdateFunctionCode(t.ctx, update))
	t.waitUpdated()
	must(t.client.UpdateFunctionConfiguration(t.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, MemorySize: aws.Int32(256)}))
	t.waitUpdated()
	v = must(t.client.PublishVersion(t.ctx, &lambda.PublishVersionInput{FunctionName: f}))
	say("publish version again", *v.Version, *v.MemorySize)
	say("list versions of f", pages(t,
		lambda.NewListVersionsByFunctionPaginator(t.client, &lambda.ListVersionsByFunctionInput{FunctionName: f, MaxItems: aws.Int32(1)}),
		func(p *lambda.ListVersionsByFunctionOutput) []types.FunctionConfiguration { return p.Versions },
		func(v types.FunctionConfiguration) string { return *v.Version }))

	live, two := aws.String("live"), aws.String("2")
	a := must(t.client.CreateAlias(t.ctx, &lambda.CreateAliasInput{FunctionName: f, Name: live, FunctionVersion: aws.String("1")}))
	say("create alias", *a.AliasArn, *a.FunctionVersion)
	must(t.client.CreateAlias(t.ctx, &lambda.CreateAliasInput{FunctionName: f, Name: aws.String("next"), FunctionVersion: two}))
	say("list aliases", pages(t, lambda.NewListAliasesPaginator(t.client, &lambda.ListAliasesInput{FunctionName: f, MaxItems: aws.Int32(1)}),
		func(p *lambda.ListAliasesOutput) []types.AliasConfiguration { return p.Aliases },
		func(a types.AliasConfiguration) string { return *a.Name }))
	_, payload, _ := t.invoke(&lambda.InvokeInput{FunctionName: f, Qualifier: live, Payload: []byte(ada)})
	say("invoke live", payload.Text)
	u := must(t.client.UpdateAlias(t.ctx, &lambda.UpdateAliasInput{FunctionName: f, Name: live,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 1}}}))
	for v, w := range u.RoutingConfig.AdditionalVersionWeights {
		say("weights", fmt.Sprintf("%s=%.1f", v, w))
	}
	out, payload, _ := t.invoke(&lambda.InvokeInput{FunctionName: f, Qualifier: live, Payload: []byte(ada)})
	say("invoke live again", *out.ExecutedVersion, payload.Text)
	_, err = t.client.DeleteFunction(t.ctx, &lambda.DeleteFunctionInput{FunctionName: f, Qualifier: two})
	refused[*types.ResourceConflictException]("delete a version in use", err)
}

func (t *traveller) settings() {
	f, live, s3 := aws.String("f"), aws.String("live"), aws.String("s3")
	must(t.client.TagResource(t.ctx, &lambda.TagResourceInput{Resource: &t.function, Tags: map[string]string{"cost": "low"}}))
	must(t.client.UntagResource(t.ctx, &lambda.UntagResourceInput{Resource: &t.function, TagKeys: []string{"team"}}))
	var tags []any
	for k, v := range must(t.client.ListTags(t.ctx, &lambda.ListTagsInput{Resource: &t.function})).Tags {
		tags = append(tags, k+"="+v)
	}
	say("tags", tags...)

	must(t.client.AddPermission(t.ctx, &lambda.AddPermissionInput{FunctionName: f, StatementId: s3,
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com")}))
	var policy struct {
		Statement []struct{ Principal struct{ Service string } }
	}
	done(json.Unmarshal([]byte(*must(t.client.GetPolicy(t.ctx, &lambda.GetPolicyInput{FunctionName: f})).Policy), &policy))
	say("policy of f", policy.Statement[0].Principal.Service)
	must(t.client.RemovePermission(t.ctx, &lambda.RemovePermissionInput{FunctionName: f, StatementId: s3}))
	_, err := t.client.GetPolicy(t.ctx, &lambda.GetPolicyInput{FunctionName: f})
	refused[*types.ResourceNotFoundException]("policy of f, gone", err)

	reserved := must(t.client.PutFunctionConcurrency(t.ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: aws.Int32(0)}))
	say("reserve", *reserved.ReservedConcurrentExecutions)
	_, err = t.client.Invoke(t.ctx, &lambda.InvokeInput{FunctionName: f})
	refused[*types.TooManyRequestsException]("throttled", err)
	must(t.client.DeleteFunctionConcurrency(t.ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: f}))
	none := must(t.client.GetFunctionConcurrency(t.ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: f}))
	say("nothing reserved", yes(none.ReservedConcurrentExecutions == nil))

	must(t.client.PutFunctionEventInvokeConfig(t.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: f, MaximumRetryAttempts: aws.Int32(1)}))
	must(t.client.PutFunctionEventInvokeConfig(t.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: f, Qualifier: live, MaximumRetryAttempts: aws.Int32(2)}))
	say("retries", pages(t, lambda.NewListFunctionEventInvokeConfigsPaginator(t.client,
		&lambda.ListFunctionEventInvokeConfigsInput{FunctionName: f, MaxItems: aws.Int32(1)}),
		func(p *lambda.ListFunctionEventInvokeConfigsOutput) []types.FunctionEventInvokeConfig {
			return p.FunctionEventInvokeConfigs
		},
		func(c types.FunctionEventInvokeConfig) string {
			return fmt.Sprintf("%s=%d", last(c.FunctionArn), *c.MaximumRetryAttempts)
		}))

	t.moreLists()
	must(t.create("g", t.words))
	say("list functions", pages(t, lambda.NewListFunctionsPaginator(t.client, &lambda.ListFunctionsInput{MaxItems: aws.Int32(1)}),
		func(p *lambda.ListFunctionsOutput) []types.FunctionConfiguration { return p.Functions },
		func(f types.FunctionConfiguration) string { return *f.FunctionName }))
	s := must(t.client.GetAccountSettings(t.ctx, &lambda.GetAccountSettingsInput{}))
	say("account", s.AccountLimit.CodeSizeUnzipped, s.AccountUsage.FunctionCount)
}

func (t *traveller) moreLists() {
	f := aws.String("f")
	for _, qualifier := range []*string{nil, aws.String("live")} {
		must(t.client.CreateFunctionUrlConfig(t.ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: f, Qualifier: qualifier, AuthType: types.FunctionUrlAuthTypeAwsIam}))
	}
	say("URLs", pages(t, lambda.NewListFunctionUrlConfigsPaginator(t.client, &lambda.ListFunctionUrlConfigsInput{FunctionName: f, MaxItems: aws.Int32(1)}),
		func(p *lambda.ListFunctionUrlConfigsOutput) []types.FunctionUrlConfig { return p.FunctionUrlConfigs },
		func(c types.FunctionUrlConfig) string { return last(c.FunctionArn) }))
	must(t.client.UpdateAlias(t.ctx, &lambda.UpdateAliasInput{FunctionName: f, Name: aws.String("live"), // no weights beside what is provisioned
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}}))
	for alias, count := range map[string]int32{"live": 1, "next": 2} {
		must(t.client.PutProvisionedConcurrencyConfig(t.ctx, &lambda.PutProvisionedConcurrencyConfigInput{
			FunctionName: f, Qualifier: &alias, ProvisionedConcurrentExecutions: &count}))
	}
	say("provisioned", pages(t, lambda.NewListProvisionedConcurrencyConfigsPaginator(t.client,
		&lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: f, MaxItems: aws.Int32(1)}),
		func(p *lambda.ListProvisionedConcurrencyConfigsOutput) []types.ProvisionedConcurrencyConfigListItem {
			return p.ProvisionedConcurrencyConfigs
		},
		func(c types.ProvisionedConcurrencyConfigListItem) string {
			return fmt.Sprintf("%s=%d", last(c.FunctionArn), *c.RequestedProvisionedConcurrentExecutions)
		}))
	must(t.client.CreateCodeSigningConfig(t.ctx, &lambda.CreateCodeSigningConfigInput{
		Description: aws.String("strict"), AllowedPublishers: &types.AllowedPublishers{SigningProfileVersionArns: []string{profile}}}))
	say("signing", pages(t, lambda.NewListCodeSigningConfigsPaginator(t.client, &lambda.ListCodeSigningConfigsInput{MaxItems: aws.Int32(1)}),
		func(p *lambda.ListCodeSigningConfigsOutput) []types.CodeSigningConfig { return p.CodeSigningConfigs },
		func(c types.CodeSigningConfig) string { return *c.Description }))
}

// last is the last part of an ARN.
func last(arn *string) string { return (*arn)[strings.LastIndex(*arn, ":")+1:] }

func (t *traveller) end() {
	f := aws.String("f")
	must(t.client.DeleteAlias(t.ctx, &lambda.DeleteAliasInput{FunctionName: f, Name: aws.String("live")}))
	must(t.client.DeleteFunction(t.ctx, &lambda.DeleteFunctionInput{FunctionName: f, Qualifier: aws.String("1")}))
	must(t.client.DeleteFunction(t.ctx, &lambda.DeleteFunctionInput{FunctionName: f}))
	_, err := t.client.GetFunctionConfiguration(t.ctx, &lambda.GetFunctionConfigurationInput{FunctionName: f})
	refused[*types.ResourceNotFoundException]("get f, gone", err)
	for range 2 {
		must(t.client.DeleteLayerVersion(t.ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String("words"), VersionNumber: aws.Int64(1)}))
	}
	say("layers left", t.layerVersions(""))
	t.waitActive("g")
	_, payload, _ := t.invoke(&lambda.InvokeInput{FunctionName: aws.String("g"), Payload: []byte(ada)})
	say("g still runs", payload.Text)
}
