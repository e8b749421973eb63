// A function in Go for the OS-only runtime provided.al2023: the program is the bootstrap.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Name string `json:"name"`
}

type answer struct {
	Greeting  string `json:"greeting"`
	RequestID string `json:"request_id"`
}

func greet(ctx context.Context, e event) (answer, error) {
	if e.Name == "" {
		return answer{}, errors.New("nobody to greet")
	}
	lc, _ := lambdacontext.FromContext(ctx)
	fmt.Println("greeting", e.Name)
	return answer{Greeting: "Hello, " + e.Name + "!", RequestID: lc.AwsRequestID}, nil
}

func main() { lambda.Start(greet) }
