package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
)

type serveOptions struct {
	settings
	PrintConfig bool
	ReadyFile   string
}

func (o *serveOptions) AddFlags(fs *pflag.FlagSet) {
	o.settings.addFlags(fs)
	fs.BoolVar(&o.PrintConfig, "print-config", false, "print the settings as they would be used, without secrets, and end")
	fs.StringVar(&o.ReadyFile, "ready-file", "", "write the server's URL to this `FILE` when it is ready")
}

func newServe(o *output) *cobra.Command {
	return command(o, &serveOptions{}, cobra.Command{
		Use:   "serve [flags]",
		Short: "run the server",
		Long: "Run the server until it is stopped. With no flag it keeps its data in the user's data folder and listens on\n" +
			config.DefaultListen + ". Every setting can also be given as an environment variable (--idle-timeout is\n" +
			"LAMINA_IDLE_TIMEOUT; a list is separated by commas) or as a line of the file (\"idle-timeout: 10m\"); flags win over\n" +
			"the environment, the environment over the file.\n\n" +
			"SIGTERM and Ctrl-C stop it: it takes no new calls, lets running functions end within their timeouts, and the exit\n" +
			"code is 0. A second signal ends it at once.",
		Example: "  lamina serve\n" +
			"  lamina serve --listen 127.0.0.1:0 --data /tmp/try --ready-file /tmp/url\n" +
			"  lamina serve --reach 127.0.0.1:5432          # functions may dial localhost:5432",
	}, cobra.NoArgs, runServe)
}

func runServe(ctx context.Context, opts *serveOptions, out *output, _ []string) error {
	started := time.Now()
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	if opts.PrintConfig {
		if out.json() {
			return cfg.WriteJSON(out.Out)
		}
		return cfg.WriteYAML(out.Out)
	}
	if opts.ReadyFile != "" {
		defer os.Remove(opts.ReadyFile)
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var announced error
	err = daemon.Run(serving, cfg, func(addr net.Addr) {
		r := ready{
			URL: "http://" + addr.String(), Account: cfg.Account, Region: cfg.Region, Data: cfg.Data,
			PID: os.Getpid(), Milliseconds: time.Since(started).Milliseconds(),
		}
		if announced = r.announce(out, opts.ReadyFile); announced != nil {
			stop() // a server that nobody learns of is stopped again
		}
	})
	if err != nil && ctx.Err() != nil {
		err = &stopError{err}
	}
	return errors.Join(err, announced)
}

// stopError is what went wrong while a server stopped that was told to. To be told is how a server ends, so the error counts,
// where every other command was interrupted.
type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// ready is what a server that can be called says of itself.
type ready struct {
	URL          string
	Account      string
	Region       string
	Data         string
	PID          int
	Milliseconds int64 // from the start
}

func (r ready) announce(out *output, file string) error {
	if err := r.writeFile(file); err != nil {
		return err
	}
	return r.print(out)
}

// print says everything to a person and one line to a program.
func (r ready) print(out *output) error {
	if out.json() {
		return json.NewEncoder(out.Out).Encode(r)
	}
	if _, err := fmt.Fprintf(out.Out, "lamina is ready at %s\n", r.URL); err != nil {
		return err
	}
	if !isTerminal(out.Out) {
		return nil
	}
	return r.explain(out.Out)
}

func (r ready) explain(w io.Writer) error {
	_, err := fmt.Fprintf(w, `
  data     %s
  account  %s, region %s
  started in %d ms; Ctrl-C stops it

Point the AWS CLI and the SDKs at it, in another terminal:

  export AWS_ENDPOINT_URL=%s
  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=lamina AWS_DEFAULT_REGION=%s
  aws lambda list-functions

An AWS CLI before 1.29 or 2.13, such as Debian 12's, does not know AWS_ENDPOINT_URL and calls AWS: add
--endpoint-url %s to each command.

`, r.Data, r.Account, r.Region, r.Milliseconds, r.URL, r.Account, r.Region, r.URL)
	return err
}

// writeFile writes the URL so that a script which waits for the file never reads half of it.
func (r ready) writeFile(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".lamina-ready-*")
	if err != nil {
		return fmt.Errorf("cannot write the ready file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintln(f, r.URL)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("cannot write the ready file: %w", err)
	}
	return nil
}
