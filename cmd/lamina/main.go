// Command lamina runs AWS Lambda functions with their layers on this machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/laminadev/lamina/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends the program at once
	code := cli.Main(ctx, cli.Standard(), os.Args[1:])
	stop()
	os.Exit(code)
}
