// Command lamina runs AWS Lambda functions with their layers on this machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/laminadev/lamina/internal/cli"
	"github.com/laminadev/lamina/internal/sandbox/helper"
)

func main() {
	if filepath.Base(os.Args[0]) == helper.Name {
		helper.Main() // a sandbox's PID 1, in a build without the small one inside
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends the program at once
	code := cli.Main(ctx, cli.Standard(), os.Args[1:])
	stop()
	os.Exit(code)
}
