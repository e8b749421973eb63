package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/project"
)

type runOptions struct {
	settings
	Function string
	Handler  string
	Runtime  string
	Layers   []string
	Event    string
	Env      []string
	EnvFile  string
	Timeout  int
	Memory   int
	Repeat   int
	Watch    bool
	Shell    bool
	Quiet    bool
}

func (o *runOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.Function, "function", "", "`NAME` of the function in the folder's SAM template")
	fs.StringVar(&o.Handler, "handler", "", "`FILE.FUNCTION` that handles events")
	fs.StringVar(&o.Runtime, "runtime", "", "`RUNTIME` such as python3.12, or python for the newest one here")
	fs.StringArrayVar(&o.Layers, "layer", nil, "`FOLDER or zip` of a layer (repeatable: the last one wins)")
	fs.StringVarP(&o.Event, "event", "e", "", "the event: a `FILE`, JSON, or - for standard input (default: {})")
	fs.StringArrayVar(&o.Env, "env", nil, "`KEY=VALUE` for the function's environment; KEY alone takes the value of this shell (repeatable)")
	fs.StringVar(&o.EnvFile, "env-file", "", "`FILE` with a KEY=VALUE on each line")
	fs.IntVar(&o.Timeout, "timeout", 0, "`SECONDS` that an invocation may take (default: the template's, else 3)")
	fs.IntVar(&o.Memory, "memory", 0, "`MB` of memory (default: the template's, else 128)")
	fs.IntVar(&o.Repeat, "repeat", 1, "invoke `N` times in one environment, so all but the first are warm")
	fs.BoolVar(&o.Watch, "watch", false, "run again when a file of the function or of a layer changes")
	fs.BoolVar(&o.Shell, "shell", false, "start a shell in the sandbox in place of the function, to look at /opt and /var/task")
	fs.BoolVarP(&o.Quiet, "quiet", "q", false, "print neither what was assumed nor the function's log, but for hints")
	o.settings.addFlags(fs, "reach", "network", "network-allow", "network-deny", "region", "account", "data", "helper")
}

func newRun(o *output) *cobra.Command {
	opts := &runOptions{}
	c := command(o, opts, cobra.Command{
		Use:   "run FOLDER [flags]",
		Short: "run a function with its layers on an event, without a server",
		Long: "Run a function once, with its layers, in the sandbox that a server would give it. The answer goes to standard output, the\n" +
			"log to standard error. Nothing is published and nothing is kept but a cache of unpacked zips.\n\n" +
			"What is not named is looked for, and said: the function in template.yaml (in .aws-sam/build where sam build was run;\n" +
			"nothing is built here), else a handler in app.py, lambda_function.py, main.py, index.mjs and the like, the runtime by\n" +
			"the files beside it, and layers in layer, layer.zip and layers/.",
		Example: "  lamina run .\n" +
			"  lamina run . --function Orders --event event.json\n" +
			"  lamina run src --handler app.handler --runtime python3.12 --layer libs.zip --layer ./common --event '{\"n\": 1}'\n" +
			"  lamina run . --shell                         # look at /opt as the function sees it\n" +
			"  lamina run . --watch --env STAGE=test",
	}, cobra.ExactArgs(1), runRun)
	c.RegisterFlagCompletionFunc("runtime", completeRuntime(&opts.settings))
	return c
}

func runRun(ctx context.Context, opts *runOptions, out *output, args []string) error {
	if err := opts.check(); err != nil {
		return err
	}
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	r := &localRun{opts: opts, out: out, cfg: cfg, dir: args[0]}
	if !opts.Shell {
		if r.event, err = readEvent(opts.Event, out.In); err != nil {
			return err
		}
	}
	if opts.Watch {
		return r.watch(ctx)
	}
	f, err := r.look()
	if err != nil {
		return err
	}
	return r.once(ctx, f)
}

func (o *runOptions) check() error {
	switch {
	case o.Repeat < 1:
		return usagef("--repeat is at least 1, not %d", o.Repeat)
	case o.Timeout < 0 || o.Timeout > 900:
		return usagef("--timeout is 1 to 900 seconds, not %d", o.Timeout)
	case o.Memory != 0 && (o.Memory < 128 || o.Memory > 10240):
		return usagef("--memory is 128 to 10240 MB, not %d", o.Memory)
	case o.Shell && o.Watch:
		return usagef("--shell and --watch exclude each other")
	}
	for _, l := range o.Layers {
		if strings.HasPrefix(l, "arn:") {
			return &usageError{fmt.Sprintf("--layer takes a folder or a zip, since lamina run asks no server: not %q", l), fetchLayer(l)}
		}
	}
	return nil
}

// localRun is one call of the command.
type localRun struct {
	opts  *runOptions
	out   *output
	cfg   config.Config
	dir   string
	event []byte

	assumed string // about the folder
	warned  string // of what AWS would not take
	said    string // of it, so that --watch says it once
}

// look finds out what there is to run, and says what was assumed.
func (r *localRun) look() (daemon.LocalFunction, error) {
	o := r.opts
	p, err := project.Look(r.dir, project.Given{Function: o.Function, Handler: o.Handler, Runtime: o.Runtime, Layers: o.Layers})
	if err != nil {
		return daemon.LocalFunction{}, err
	}
	if err := addVariables(p.Env, o.EnvFile, o.Env); err != nil {
		return daemon.LocalFunction{}, err
	}
	r.assumed = strings.Join(p.Assumed, "; ")
	r.warned = variableWarnings(p.Env)
	f := daemon.LocalFunction{
		Name: p.Name, Code: p.Code, Layers: p.Layers, Runtime: p.Runtime, Handler: p.Handler, Env: p.Env,
		Timeout: p.Timeout, Memory: p.Memory, Storage: p.Storage,
	}
	if o.Timeout != 0 {
		f.Timeout = o.Timeout
	}
	if o.Memory != 0 {
		f.Memory = o.Memory
	}
	return f, nil
}

// sayAssumed says what was not given; where any version of a language would do, with the one that runs.
func (r *localRun) sayAssumed(asked, runs string) {
	said := strings.Replace(r.assumed, "runtime "+asked+" (", "runtime "+runs+" (", 1)
	if said != "" {
		said = "lamina: assumed " + said + "\n"
	}
	said += r.warned
	if said != r.said && !r.opts.Quiet {
		fmt.Fprint(r.out.Err, said)
		r.said = said
	}
}

// once runs the function as often as was asked for, in one environment.
func (r *localRun) once(ctx context.Context, f daemon.LocalFunction) (err error) {
	log := &runLog{w: r.out.Err, quiet: r.opts.Quiet}
	if r.out.json() {
		log.w = nil
	}
	l, err := daemon.OpenLocal(ctx, r.cfg, f, log.line)
	if err != nil {
		r.sayAssumed(f.Runtime, f.Runtime)
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	r.sayAssumed(f.Runtime, l.Runtime())
	if r.opts.Shell {
		return r.shell(ctx, l)
	}
	var failed error
	for range r.opts.Repeat {
		began := time.Now()
		res, err := l.Invoke(ctx, r.event)
		if err != nil {
			return err
		}
		if err := r.print(l, res, log.take(), time.Since(began)); err != nil {
			return err
		}
		if res.FunctionError != "" {
			failed = &functionError{res.FunctionError}
		}
	}
	return failed
}

// runAnswer is an invocation as --format json prints it.
type runAnswer struct {
	RequestID     string
	Runtime       string
	Payload       any    `json:",omitempty"`
	FunctionError string `json:",omitempty"`
	Status        string
	ErrorType     string `json:",omitempty"`
	Log           string
	DurationMs    float64
	BilledMs      int64
	InitMs        float64 `json:",omitempty"`
	MemoryMB      int64
	MaxMemoryMB   int64
	WallMs        float64
}

func (r *localRun) print(l *daemon.Local, res daemon.LocalResult, log string, wall time.Duration) error {
	a := runAnswer{
		RequestID: res.RequestID, Runtime: l.Runtime(), Payload: jsonOrText(res.Payload), FunctionError: res.FunctionError,
		Status: res.Status, ErrorType: res.ErrorType, Log: log, DurationMs: res.Report.DurationMs, BilledMs: res.Report.BilledDurationMs,
		MemoryMB: res.Report.MemorySizeMB, MaxMemoryMB: res.Report.MaxMemoryUsedMB, WallMs: float64(wall.Microseconds()) / 1000,
	}
	if res.Report.InitDurationMs != nil {
		a.InitMs = *res.Report.InitDurationMs
	}
	return r.out.print(a, func(w io.Writer) error {
		if err := printPayload(w, res.Payload); err != nil {
			return err
		}
		if n := len(res.Payload); !isTerminal(w) && r.opts.Repeat > 1 && n > 0 && res.Payload[n-1] != '\n' {
			_, err := fmt.Fprintln(w)
			return err
		}
		return nil
	})
}

// runLog prints the function's log as it comes, and keeps it for the answer.
type runLog struct {
	w     io.Writer // nil: it is only kept
	quiet bool      // only hints are printed

	mu   sync.Mutex // guards text
	text strings.Builder
}

// maxRunLog bounds what is kept of a log.
const maxRunLog = 6 << 20

func (l *runLog) line(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w != nil {
		if !l.quiet || strings.HasPrefix(s, "LAMINA_HINT ") {
			io.WriteString(l.w, s)
		}
	} else if l.text.Len()+len(s) <= maxRunLog {
		l.text.WriteString(s)
	}
}

func (l *runLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.text.String()
	l.text.Reset()
	return s
}

// readEvent reads what --event names. What is no JSON is no event: Lambda refuses it before a function sees it.
func readEvent(s string, in io.Reader) ([]byte, error) {
	b, err := eventBytes(s, in)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	var any json.RawMessage
	if err := json.Unmarshal(b, &any); err != nil {
		return nil, usagef("the event is not JSON: %v", err)
	}
	return b, nil
}

func eventBytes(s string, in io.Reader) ([]byte, error) {
	switch s {
	case "":
		return nil, nil
	case "-":
		b, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("cannot read the event: %w", err)
		}
		return b, nil
	}
	b, err := os.ReadFile(strings.TrimPrefix(s, "@"))
	switch {
	case err == nil:
		return b, nil
	case json.Valid([]byte(s)):
		return []byte(s), nil
	}
	return nil, usagef("--event is neither JSON nor a file that can be read: %v", err)
}
