package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/database"
)

// State is what came out of a check.
type State string

// The states of a check.
const (
	Works    State = "ok"
	Degraded State = "degraded" // functions run, but not quite as on AWS
	Failed   State = "failed"   // functions can't run
)

// Check is one thing that the doctor found out.
type Check struct {
	Name    string
	State   State
	Detail  string // what was tried and what came out
	Degrade string `json:",omitempty"` // what happens instead
	Fix     string `json:",omitempty"` // the exact line that mends it, when one is known
}

// Examine finds out by doing what this machine can do with these settings, and reports each check when it is made. It needs
// no server, disturbs none, and leaves nothing behind.
func Examine(ctx context.Context, cfg config.Config, report func(Check)) {
	x := &examination{cfg: cfg, report: report}
	defer x.clean()
	for _, step := range []func(context.Context){x.folder, x.database, x.store, x.port, x.clock, x.sandbox, x.interpreters, x.whole} {
		if ctx.Err() == nil {
			step(ctx)
		}
	}
}

type examination struct {
	cfg    config.Config
	report func(Check)
	dir    string // for what the examination makes
}

// scratch names a folder below one of our own, on the data folder's file system, or, where that can't be written, in /tmp.
func (x *examination) scratch(name string) string {
	if x.dir == "" {
		dir, err := os.MkdirTemp(nearest(x.cfg.Data), ".lamina-doctor-*")
		if err != nil {
			dir, err = os.MkdirTemp("", ".lamina-doctor-*")
		}
		if err != nil {
			dir = filepath.Join(os.TempDir(), ".lamina-doctor-none") // what is made in it fails and says why
		}
		x.dir = dir
	}
	return filepath.Join(x.dir, name)
}

func (x *examination) clean() {
	if x.dir != "" {
		os.RemoveAll(x.dir)
	}
}

// leastFree is the room below which the doctor speaks up: one function with AWS's largest layers, a few times.
const leastFree = 1 << 30

// folder tries to write where the data folder is, or where it would be made.
func (x *examination) folder(context.Context) {
	c := Check{Name: "data folder", State: Works, Detail: x.cfg.Data + " can be written"}
	at := nearest(x.cfg.Data)
	if at != x.cfg.Data {
		c.Detail = x.cfg.Data + " can be made"
	}
	f, err := os.CreateTemp(at, ".lamina-doctor-*")
	if err != nil {
		x.report(Check{c.Name, Failed, fmt.Sprintf("cannot write in %s: %v", at, err), "", "lamina serve --data FOLDER"})
		return
	}
	f.Close()
	os.Remove(f.Name())
	if pid := folderUser(x.cfg.Data); pid != 0 {
		c.Detail += fmt.Sprintf("; lamina serve, process %d, is using it", pid)
	}
	var disk unix.Statfs_t
	if unix.Statfs(at, &disk) == nil {
		free := int64(disk.Bavail) * disk.Bsize
		c.Detail += fmt.Sprintf("; %d MB are free", free>>20)
		if free < leastFree {
			c.State, c.Degrade = Degraded, "layers of AWS's largest size may not fit"
		}
	}
	x.report(c)
}

// nearest is the path itself, or the folder above it that exists.
func nearest(path string) string {
	for path != "/" {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
		path = filepath.Dir(path)
	}
	return path
}

// database tries to open one that was named. The one in the data folder is made with the folder.
func (x *examination) database(ctx context.Context) {
	if x.cfg.Database == "" {
		return
	}
	c := Check{Name: "database", State: Works, Detail: config.Redact(x.cfg.Database) + " was opened"}
	if file, ok := strings.CutPrefix(x.cfg.Database, "sqlite://"); ok {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			c.Detail = file + " is not there yet; lamina serve makes it"
			x.report(c)
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	db, err := database.Open(ctx, x.cfg.Database)
	if err != nil {
		c.State, c.Detail, c.Fix = Failed, err.Error(), "lamina serve --database postgres://USER:PASSWORD@HOST/NAME"
	} else {
		db.Close()
	}
	x.report(c)
}

// store tries all that a server does with an S3 store, if one was named. It leaves nothing there.
func (x *examination) store(ctx context.Context) {
	s, ok := x.cfg.S3()
	if !ok {
		return
	}
	c := Check{Name: "zip store", State: Works, Detail: "an object was written to, listed in, read from and deleted from s3://" + s.Bucket}
	if err := x.probe(ctx); err != nil {
		c.State, c.Detail = Failed, err.Error()
		var hint interface{ Hint() string }
		if errors.As(err, &hint) {
			c.Fix = hint.Hint()
		}
	}
	x.report(c)
}

func (x *examination) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	d, err := openS3(ctx, x.cfg, &folder{path: x.scratch("store")})
	if err != nil {
		return err
	}
	return errors.Join(d.Probe(ctx), d.Close())
}

// port tries to listen.
func (x *examination) port(ctx context.Context) {
	c := Check{Name: "address", State: Works, Detail: x.cfg.Listen + " is free"}
	ln, err := listen(ctx, x.cfg.Listen)
	if err == nil {
		ln.Close()
		x.report(c)
		return
	}
	o, _ := portOwner(x.cfg.Listen)
	if o.PID != 0 && o.PID == folderUser(x.cfg.Data) {
		c.Detail = fmt.Sprintf("%s is where lamina serve, process %d, answers", x.cfg.Listen, o.PID)
		x.report(c)
		return
	}
	c.State, c.Detail, c.Degrade = Degraded, err.Error(), "the server needs another port"
	c.Fix = "lamina serve --listen 127.0.0.1:0"
	x.report(c)
}

// clock sees whether the time can be right: not before this program was written.
func (x *examination) clock(context.Context) {
	c := Check{Name: "clock", State: Works, Detail: now().UTC().Format(time.RFC3339)}
	built := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if t, err := time.Parse(time.RFC3339, ThisBuild().Time); err == nil {
		built = t.Add(-24 * time.Hour)
	}
	if now().Before(built) {
		c.State, c.Detail = Degraded, c.Detail+" is before this program was written"
		c.Degrade, c.Fix = "signatures and time stamps are wrong", "timedatectl set-ntp true"
	}
	x.report(c)
}
