// Package catalogtest holds the suite that every driver of the contract catalog passes.
package catalogtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
)

// Place is where a catalog lives: each call opens the same one again.
type Place func() catalog.Store

// Run runs the suite. fresh gives a new and empty place for each test, gone when the test ends; the suite closes what it opens.
func Run(t *testing.T, fresh func(t *testing.T) Place) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Place)
	}{
		{"account", testAccount},
		{"layer version numbers", testLayerVersionNumbers},
		{"layer version members", testLayerVersionMembers},
		{"layer version scopes", testLayerVersionScopes},
		{"list layer versions", testListLayerVersions},
		{"list layers", testListLayers},
		{"concurrent publish", testConcurrentPublish},
		{"function members", testFunctionMembers},
		{"function exists", testFunctionExists},
		{"function absent", testFunctionAbsent},
		{"function identity", testFunctionIdentity},
		{"update function", testUpdateFunction},
		{"update fails", testUpdateFails},
		{"concurrent update", testConcurrentUpdate},
		{"list functions", testListFunctions},
		{"unsettled", testUnsettled},
		{"versions", testVersions},
		{"versions settle", testVersionsSettle},
		{"version numbers", testVersionNumbers},
		{"aliases", testAliases},
		{"records", testRecords},
		{"records of an insertion", testRecordsOfAnInsertion},
		{"shares of concurrency", testShares},
		{"shares of concurrency, taken together", testSharesTogether},
		{"layer policies", testLayerPolicies},
		{"code signing", testCodeSigning},
		{"buckets", testBuckets},
		{"objects", testObjects},
		{"objects that are checked", testCheckedObjects},
		{"object versions", testObjectVersions},
		{"list objects", testListObjects},
		{"uploads", testUploads},
		{"usage", testUsage},
		{"quota", testQuota},
		{"code storage", testCodeStorage},
		{"sequence", testSequence},
		{"texts that no database holds", testBadTexts},
		{"reopen", testReopen},
		{"cancelled", testCancelled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

// open opens a place until the test ends.
func open(t *testing.T, p Place) catalog.Store {
	t.Helper()
	c := p()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

var here = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}

// elsewhere are scopes that differ from here in one part each.
var elsewhere = []lambda.Scope{
	{Partition: "aws-cn", Account: here.Account, Region: here.Region},
	{Partition: here.Partition, Account: "111111111111", Region: here.Region},
	{Partition: here.Partition, Account: here.Account, Region: "eu-west-2"},
}

// moment has a part below milliseconds, which a catalog cuts off.
var moment = time.Date(2026, 1, 12, 15, 31, 58, 123_456_789, time.UTC)

func layer(name lambda.LayerName) lambda.LayerKey { return lambda.LayerKey{Scope: here, Name: name} }

func function(name lambda.FunctionName) lambda.FunctionKey {
	return lambda.FunctionKey{Scope: here, Name: name}
}

func content(size int64) lambda.Content {
	of := func(what string) digest.Digest { return digest.Of(fmt.Appendf(nil, "%s of %d bytes", what, size)) }
	return lambda.Content{Digest: of("zip"), Size: size, UnzippedSize: 3 * size, ContentDigest: of("content"), TreeKey: of("tree")}
}

// publish inserts a version of a layer with 100 bytes.
func publish(t *testing.T, c catalog.Store, k lambda.LayerKey, change ...func(*catalog.LayerVersion)) catalog.LayerVersion {
	t.Helper()
	v := catalog.LayerVersion{ARN: lambda.LayerVersionARN{LayerKey: k}, Content: content(100), Created: moment}
	for _, f := range change {
		f(&v)
	}
	v, err := c.InsertLayerVersion(t.Context(), v, 0)
	if err != nil {
		t.Fatalf("InsertLayerVersion: %v", err)
	}
	return v
}

// sample is a function whose every member says something.
func sample(k lambda.FunctionKey) catalog.Function {
	layers := []lambda.LayerRef{
		{ARN: lambda.LayerVersionARN{LayerKey: layer("a"), Version: 2}, Content: content(7)},
		{ARN: lambda.LayerVersionARN{LayerKey: layer("b"), Version: 1}, Content: content(8)},
	}
	return catalog.Function{
		Key: k,
		Latest: lambda.Revision{
			Config: lambda.Configuration{
				Runtime: "python3.13", Handler: "app.handler", Role: "arn:aws:iam::000000000000:role/r", Description: "<ü>",
				MemorySize: 128, Timeout: 3, StorageSize: 512, PackageType: "Zip", Architectures: []string{"x86_64"},
				Environment: &lambda.Variables{Map: map[string]string{"A": "1", "B": `a "quoted" \u0041 text`}},
				TracingMode: "PassThrough", SnapStart: "None",
				Logging: lambda.LoggingConfig{LogFormat: "Text", LogGroup: "/aws/lambda/f"},
			},
			Code:         content(1000),
			Layers:       layers,
			ShadowMap:    []lambda.Shadow{{Path: "python/x.py", Winner: 1, Losers: []int{0}}},
			LastModified: moment,
		},
		State:        lambda.StatePending,
		StateReason:  catalog.Reason{Text: "The function is being created.", Code: "Creating"},
		UpdateStatus: "",
		Tags:         map[string]string{"team": "blue"},
		Created:      moment,
	}
}

func insert(t *testing.T, c catalog.Store, f catalog.Function) catalog.Function {
	t.Helper()
	f, err := c.InsertFunction(t.Context(), f, 0)
	if err != nil {
		t.Fatalf("InsertFunction: %v", err)
	}
	return f
}

func sequence(t *testing.T, c catalog.Store) int64 {
	t.Helper()
	n, err := c.Sequence(t.Context())
	if err != nil {
		t.Fatalf("Sequence: %v", err)
	}
	return n
}

func wantKind(t *testing.T, what string, err error, kind lambda.Kind) {
	t.Helper()
	if !lambda.IsKind(err, kind) {
		t.Errorf("%s: got %v, want an error of kind %q", what, err, kind)
	}
}

func wantSame[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
