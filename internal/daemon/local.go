package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
	"github.com/laminadev/lamina/internal/telemetry"
)

// LocalFunction is a function as it lies on this machine's disk.
type LocalFunction struct {
	Name    string
	Code    string   // a folder, or a zip
	Layers  []string // folders or zips, in the order of the list: the last wins
	Runtime string   // "python3.12", or a family alone ("python"): its newest one here
	Handler string
	Env     map[string]string
	Timeout int // seconds; 0: AWS's default
	Memory  int // MB; 0: AWS's default
	Storage int // MB of /tmp; 0: AWS's default
}

// LocalResult is what came out of one invocation.
type LocalResult struct {
	RequestID     string
	Payload       []byte
	FunctionError string // "" or "Unhandled"
	Report        telemetry.ReportMetrics
	Status        string // AWS's status of the invocation: success, error, failure, timeout
	ErrorType     string
}

// Local runs one function without a server, in the sandbox that a server would give it.
type Local struct {
	stoppers
	work  sync.WaitGroup
	cfg   config.Config
	cache *localCache
	sets  *runtimes.Set
	pool  *execenv.Pool
	rev   *lambda.Revision
	trees *localTrees
	last  *lastReport
}

// RunOnce runs a function with one event and leaves nothing behind.
func RunOnce(ctx context.Context, cfg config.Config, f LocalFunction, event []byte, lines func(string)) (_ LocalResult, err error) {
	l, err := OpenLocal(ctx, cfg, f, lines)
	if err != nil {
		return LocalResult{}, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return l.Invoke(ctx, event)
}

// OpenLocal prepares what the function needs; lines gets its log, line by line, as it comes. What is made on the disk lies
// in the user's cache folder. Close ends it.
func OpenLocal(ctx context.Context, cfg config.Config, f LocalFunction, lines func(string)) (_ *Local, err error) {
	l := &Local{cfg: cfg, last: &lastReport{lines: lines}}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	log := slog.New(slog.DiscardHandler)
	if l.cache, err = openLocalCache(cfg); err != nil {
		return nil, err
	}
	l.add("cache", plain(l.cache.close))
	l.work.Go(func() { runtimes.DefaultRoot() }) // it is remembered, and needed when there is a sandbox
	if err := l.openRuntimes(log); err != nil {
		return nil, err
	}
	if l.rev, l.trees, err = l.revision(ctx, f); err != nil {
		return nil, err
	}
	return l, l.openPool(ctx, log)
}

// openRuntimes shares what the server's data folder knows of interpreters, and the SDKs that were added there.
func (l *Local) openRuntimes(log *slog.Logger) error {
	dir := &folder{path: l.cfg.Data}
	if err := makeFolder(dir.path); err != nil {
		return err
	}
	driver, err := diskblob.Open(dir.sub("blobs"))
	if err != nil {
		return err
	}
	blobs := blob.New(driver)
	l.add("blob store", plain(blobs.Close))
	store, err := layerstore.Open(layerstore.Options{Dir: dir.sub("trees"), Blobs: blobs, Now: now})
	if err != nil {
		return err
	}
	l.add("layer store", plain(store.Close))
	l.sets = runtimes.New(runtimes.Options{Dir: dir.sub("runtimes"), Store: store, Log: log})
	return nil
}

func (l *Local) openPool(ctx context.Context, log *slog.Logger) error {
	state, err := l.cache.slot()
	if err != nil {
		return err
	}
	driver, err := linuxsandbox.New(linuxsandbox.Options{StateDir: state, Helper: l.cfg.Helper, Outside: outside(l.cfg), Log: log})
	if err != nil {
		return err
	}
	l.add("sandboxes", plain(driver.Close))
	if err := driver.Recover(ctx); err != nil {
		return err
	}
	var sandboxes sandbox.Driver = driver
	if l.cfg.Network == "auto" {
		sandboxes = &hopeful{outsideDriver: driver}
	} else if err := tryOutside(ctx, driver, l.cfg, log); err != nil {
		return err
	}
	l.pool = execenv.New(execenv.Options{
		Sandboxes: sandboxes, Runtimes: l.sets, Store: l.trees, Bus: telemetry.NewBus(l.last), IdleTimeout: 24 * time.Hour,
		Reach: l.cfg.Reach, Now: now, Log: log,
	})
	return nil
}

// revision is the function as execution environments know it.
func (l *Local) revision(ctx context.Context, f LocalFunction) (*lambda.Revision, *localTrees, error) {
	runtime, err := l.runtime(ctx, f.Runtime)
	if err != nil {
		return nil, nil, err
	}
	scope := lambda.NewScope(l.cfg.Account, l.cfg.Region)
	rev := &lambda.Revision{
		Key:        lambda.FunctionKey{Scope: scope, Name: lambda.FunctionName(f.Name)},
		FunctionID: f.Name, Number: 1, LastModified: now(),
		Config: lambda.Configuration{
			Runtime: runtime, Handler: f.Handler,
			MemorySize:  cmp.Or(f.Memory, lambda.DefaultMemorySize),
			Timeout:     cmp.Or(f.Timeout, lambda.DefaultTimeout),
			StorageSize: cmp.Or(f.Storage, lambda.DefaultStorageSize),
			PackageType: "Zip", TracingMode: "PassThrough",
			Environment: &lambda.Variables{Map: f.Env},
			Logging:     lambda.LoggingConfig{LogFormat: "Text"},
		},
	}
	trees := &localTrees{cache: l.cache, paths: map[digest.Digest]string{}}
	rev.Code = trees.content(f.Code)
	for _, path := range f.Layers {
		rev.Layers = append(rev.Layers, lambda.LayerRef{
			ARN:     lambda.LayerVersionARN{LayerKey: lambda.LayerKey{Scope: scope, Name: lambda.LayerName(layerName(path))}},
			Content: trees.content(path),
		})
	}
	return rev, trees, nil
}

// layerName is what error messages call a layer of the disk.
func layerName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".zip") }

// runtime completes a family to the newest runtime of it that is here.
func (l *Local) runtime(ctx context.Context, name string) (lambda.Runtime, error) {
	r := lambda.Runtime(name)
	if r.Version() != "" {
		return r, nil
	}
	infos, err := l.sets.List(ctx)
	if err != nil {
		return "", err
	}
	for _, i := range slices.Backward(infos) { // oldest first
		if i.Runtime.Family() == r.Family() {
			return i.Runtime, nil
		}
	}
	return "", &Problem{Text: fmt.Sprintf("there is no %s on this machine", name), Todo: "lamina doctor says how to get one"}
}

// Runtime is the runtime that the function runs on.
func (l *Local) Runtime() string { return string(l.rev.Config.Runtime) }

// Invoke runs the function once. When ctx ends, the function is killed and the error is ctx's.
func (l *Local) Invoke(ctx context.Context, event []byte) (LocalResult, error) {
	if len(event) == 0 {
		event = []byte("{}")
	}
	stop := context.AfterFunc(ctx, func() { l.kill() })
	defer stop()
	id := newRequestID()
	resp, err := l.pool.Invoke(ctx, l.rev, execenv.Invocation{
		RequestID: id, Payload: event, InvokedARN: l.rev.Key.ARN(), TraceID: lambda.NewTraceID(now()), LogTail: true,
	})
	if ctx.Err() != nil {
		return LocalResult{}, ctx.Err()
	}
	if err != nil {
		return LocalResult{}, err
	}
	r := LocalResult{RequestID: id, Payload: resp.Payload, FunctionError: resp.FunctionError}
	if report := l.last.get(); report != nil {
		r.Report, r.Status, r.ErrorType = report.Metrics, report.Status, report.ErrorType
	}
	return r, nil
}

// kill ends the pool without patience.
func (l *Local) kill() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = l.pool.Close(ctx) // that something was killed is what was asked for
}

// Close ends everything. It may be called twice.
func (l *Local) Close() error {
	l.work.Wait()
	if l.pool != nil {
		l.kill()
	}
	return l.stoppers.close(context.Background())
}

func newRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// keyOf names a path of the disk as a tree.
func keyOf(path string) digest.Digest { return digest.Digest(sha256.Sum256([]byte(path))) }
