package lambda_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

var here = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}

func TestParseFunctionRef(t *testing.T) {
	for in, want := range map[string]string{
		"f":                         "arn:aws:lambda:us-east-1:000000000000:function:f",
		"a.b-C_1":                   "arn:aws:lambda:us-east-1:000000000000:function:a.b-C_1",
		"f:live":                    "arn:aws:lambda:us-east-1:000000000000:function:f:live",
		"f:$LATEST":                 "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
		"function:f":                "arn:aws:lambda:us-east-1:000000000000:function:f",
		"111111111111:function:f":   "arn:aws:lambda:us-east-1:111111111111:function:f",
		"111111111111:function:f:3": "arn:aws:lambda:us-east-1:111111111111:function:f:3",
		"arn:aws:lambda:eu-west-2:111111111111:function:f:3": "arn:aws:lambda:eu-west-2:111111111111:function:f:3",
	} {
		ref, err := lambda.ParseFunctionRef(in, here)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if got := ref.QualifiedARN(ref.Qualifier); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	for _, bad := range []string{"", "a b", "f:", "f:a:b", "arn:aws:s3:::bucket", "ü", "f\n"} {
		if ref, err := lambda.ParseFunctionRef(bad, here); err == nil {
			t.Errorf("%q was read as %v", bad, ref)
		}
	}
}

func TestParseLayerNames(t *testing.T) {
	k, err := lambda.ParseLayerRef("libs", here)
	if err != nil || k.ARN() != "arn:aws:lambda:us-east-1:000000000000:layer:libs" {
		t.Errorf("name: %v, %v", k.ARN(), err)
	}
	k, err = lambda.ParseLayerRef("arn:aws:lambda:eu-west-2:111111111111:layer:libs", here)
	if err != nil || k.Account != "111111111111" || k.Region != "eu-west-2" {
		t.Errorf("ARN: %v, %v", k, err)
	}
	const arn = "arn:aws:lambda:eu-west-2:111111111111:layer:libs:12"
	v, err := lambda.ParseLayerVersionARN(arn)
	if err != nil || v.String() != arn || v.Version != 12 {
		t.Errorf("version: %v, %v", v, err)
	}
	for _, bad := range []string{"libs:1", "arn:aws:lambda:us-east-1:000000000000:layer:libs", arn + ":3", arn + "x",
		"arn:aws:lambda:us-east-1:000000000000:layer:libs:99999999999999999999"} {
		if v, err := lambda.ParseLayerVersionARN(bad); err == nil {
			t.Errorf("%q was read as %v", bad, v)
		}
	}
}

func TestErrorKeepsItsCause(t *testing.T) {
	err := lambda.Errorf(lambda.NotFound, "no such zip: %w", fs.ErrNotExist)
	if !errors.Is(err, fs.ErrNotExist) || lambda.KindOf(err) != lambda.NotFound {
		t.Errorf("got %v of kind %v", err, lambda.KindOf(err))
	}
	if lambda.KindOf(fs.ErrNotExist) != lambda.Internal {
		t.Error("an unclassified error must be Internal")
	}
}

func TestRuntimeParts(t *testing.T) {
	for r, want := range map[lambda.Runtime][2]string{
		"python3.13": {"python", "3.13"}, "nodejs22.x": {"nodejs", "22.x"}, "provided.al2023": {"provided", "al2023"},
		"java8.al2": {"java", "8.al2"}, "dotnet10": {"dotnet", "10"}, "provided": {"provided", ""},
	} {
		if got := [2]string{r.Family(), r.Version()}; got != want {
			t.Errorf("%s: got %q, want %q", r, got, want)
		}
	}
}
