// Command goclient is a function on AWS's own runtime client for Go. Its event says what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	if os.Getenv("_HANDLER") == "init-exit" {
		fmt.Println("cannot begin")
		os.Exit(3)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, event string) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	switch event {
	case "context":
		deadline, ok := ctx.Deadline()
		return []any{lc.AwsRequestID, lc.InvokedFunctionArn, lc.ClientContext.Custom, ok && !deadline.IsZero(), os.Getenv("_X_AMZN_TRACE_ID")}, nil
	case "error":
		return nil, errors.New("nope")
	case "panic":
		panic("boom")
	case "exit":
		os.Exit(7)
	case "big":
		return strings.Repeat("x", 7<<20), nil
	case "limit":
		return strings.Repeat("x", 6291556-2), nil // with its quotes
	}
	return event, nil
}
