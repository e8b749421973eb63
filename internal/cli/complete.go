package cli

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"

	"github.com/laminadev/lamina/internal/daemon"
)

// completeWait is how long somebody who has pressed Tab waits for a server.
const completeWait = 2 * time.Second

// firstNames completes a command's first argument with names that the chosen server gives, of which the first page will do. When it
// cannot be asked there are none: a shell has no place for an error.
func firstNames(e *endpoint, rest cobra.ShellCompDirective, list func(context.Context, *server) ([]string, error)) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, rest
		}
		ctx, cancel := context.WithTimeout(c.Context(), completeWait)
		defer cancel()
		s, err := e.connect(ctx, nil)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := list(ctx, s)
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFunction completes with names of functions.
func completeFunction(e *endpoint) cobra.CompletionFunc {
	return firstNames(e, cobra.ShellCompDirectiveNoFileComp, func(ctx context.Context, s *server) (names []string, err error) {
		page, err := s.lambda.ListFunctions(ctx, &awslambda.ListFunctionsInput{})
		if err != nil {
			return nil, err
		}
		for _, f := range page.Functions {
			names = append(names, aws.ToString(f.FunctionName))
		}
		return names, nil
	})
}

// completeLayer completes with names of layers; rest says what the arguments behind it are.
func completeLayer(e *endpoint, rest cobra.ShellCompDirective) cobra.CompletionFunc {
	return firstNames(e, rest, func(ctx context.Context, s *server) (names []string, err error) {
		page, err := s.lambda.ListLayers(ctx, &awslambda.ListLayersInput{})
		if err != nil {
			return nil, err
		}
		for _, l := range page.Layers {
			names = append(names, aws.ToString(l.LayerName))
		}
		return names, nil
	})
}

// completeRuntime completes with the runtimes of this machine.
func completeRuntime(o *settings) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, _ string) (names []string, _ cobra.ShellCompDirective) {
		cfg, err := o.load()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all, _ := daemon.ListRuntimes(c.Context(), cfg)
		for _, r := range all {
			names = append(names, r.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
