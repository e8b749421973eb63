package lambda_test

import (
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

func TestNewScope(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "aws", "ap-southeast-2": "aws", "": "aws", "cnorth": "aws",
		"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc",
		"us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f",
	} {
		if got, want := lambda.NewScope("000000000000", region), (lambda.Scope{Partition: want, Account: "000000000000", Region: region}); got != want {
			t.Errorf("%q: got %v, want %v", region, got, want)
		}
	}
}
