package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The committed tables are what the generator writes today. Where no botocore of the right version is installed, this
// cannot be known.
func TestCommittedFilesAreUpToDate(t *testing.T) {
	m, err := findModel()
	if err != nil {
		t.Skipf("cannot compare: %v", err)
	}
	files, err := generate(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../lambdaapi", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not what `go run ./internal/api/gen` writes: -generated +committed\n%.2000s", name, diff)
		}
	}
}

func TestGoName(t *testing.T) {
	for in, want := range map[string]string{
		"LayerVersionArn": "LayerVersionARN", "CodeSha256": "CodeSHA256", "RevisionId": "RevisionID", "SubnetIds": "SubnetIDs",
		"FunctionUrlConfig": "FunctionURLConfig", "KMSKeyArn": "KMSKeyARN", "Ipv6AllowedForDualStack": "Ipv6AllowedForDualStack",
		"UUID": "UUID", "ImageUri": "ImageURI", "EC2ThrottledException": "EC2ThrottledException", "Identity": "Identity",
		"VpcConfig": "VPCConfig", "S3ObjectVersion": "S3ObjectVersion", "GetLayerVersionByArnRequest": "GetLayerVersionByARNRequest",
		"tagKeys": "TagKeys",
	} {
		if got := goName(in); got != want {
			t.Errorf("goName(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestOverridesMustFit(t *testing.T) {
	for name, o := range map[string]override{
		"shape": {shape: "Nothing", apply: anyValue}, "member": {member: "Owner.Nothing", apply: anyValue}, "owner": {member: "Nobody.Member", apply: anyValue},
	} {
		m := &model{Shapes: map[string]*shape{"Owner": {Type: "structure"}}}
		if _, err := m.overridden(o); err == nil {
			t.Errorf("an override of a %s that does not exist fits", name)
		}
	}
}

func TestReachRefusesCycles(t *testing.T) {
	m := &model{Shapes: map[string]*shape{
		"A": {Type: "list", Member: ref{"B"}}, "B": {Type: "structure", Members: members{{Name: "a", Shape: "A"}}},
	}}
	if names, err := m.reach([]string{"A"}); err == nil {
		t.Errorf("reached %v", names)
	}
}
