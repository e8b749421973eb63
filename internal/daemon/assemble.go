package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/blob/s3blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/cached"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/invoke"
	"github.com/laminadev/lamina/internal/logstream"
	"github.com/laminadev/lamina/internal/objects"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
	"github.com/laminadev/lamina/internal/telemetry"
)

const (
	// pollInterval is how often a server over a shared database asks whether another one has changed something.
	pollInterval = 200 * time.Millisecond
	// followTime is within which every other server has seen a change, unless it lacks the time to ask.
	followTime = 2 * pollInterval
	// othersInterval is how often a server over a shared database looks for what another one has left unsettled.
	othersInterval = time.Second
)

// parts is everything that runs.
type parts struct {
	stoppers
	cfg config.Config
	dir *folder
	log *slog.Logger

	records *sqlcatalog.Catalog
	catalog catalog.Store   // over records
	changed <-chan struct{} // says that another server has changed something
	zips
	logs     *logstream.Store
	objects  *objects.Service // nil when S3 is elsewhere
	named    control.Objects  // that requests name
	secret   []byte
	sessions *auth.Sessions
	endpoint *endpoint // nil when functions have none
	pool     *execenv.Pool
	handler  http.Handler
}

// assemble builds and starts the parts, each after those that it stands on. When one fails, those before it are stopped.
func assemble(ctx context.Context, cfg config.Config, dir *folder, log *slog.Logger) (_ *parts, err error) {
	p := &parts{cfg: cfg, dir: dir, log: log}
	defer func() {
		if err != nil {
			p.close(context.WithoutCancel(ctx))
		}
	}()
	for _, step := range []func(context.Context) error{
		p.openCatalog,    // records
		p.openSecret,     // what servers over one database have in common
		p.openStores,     // bytes, trees, logs
		p.openSandboxes,  // environments; removes what a killed server left, before new ones are made
		p.startFrontDoor, // control resumes interrupted work, which may need all of the above
		p.expectFunctions,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *parts) openCatalog(ctx context.Context) error {
	db, err := database.Open(ctx, p.cfg.DatabaseURL())
	if err != nil {
		return err
	}
	unlock, err := lockDatabase(p.cfg)
	if err != nil {
		db.Close()
		return err
	}
	p.add("lock of the database", plain(unlock))
	if p.records, err = sqlcatalog.Open(ctx, db); err != nil {
		db.Close()
		return newerRecords(err)
	}
	poll := pollInterval
	if !p.cfg.Shared() {
		poll = 0 // the folder's lock makes us its only writer
	}
	remembered := cached.New(p.records, poll)
	p.catalog, p.changed = remembered, remembered.Changed()
	p.add("catalog", plain(p.catalog.Close))
	return nil
}

// openSecret reads what signs download links and functions' keys. The data folder's own counts, but where several servers share
// a database: there the one that the first of them has brought along does, so that each takes what another has signed.
func (p *parts) openSecret(ctx context.Context) (err error) {
	if p.secret, err = p.dir.secret(); err != nil || !p.cfg.Shared() {
		return err
	}
	p.secret, err = p.records.Secret(ctx, signingSecret, p.secret)
	return err
}

// claim takes an S3 store for this lamina, or sees that it has it already.
func (p *parts) claim(ctx context.Context) func(*s3blob.Driver) error {
	return func(d *s3blob.Driver) error {
		owner, err := d.Claim(ctx, ownerID(p.secret))
		if err == nil && owner != ownerID(p.secret) {
			err = notOurs(p.cfg)
		}
		return err
	}
}

func (p *parts) openStores(ctx context.Context) (err error) {
	if p.zips, err = openZips(ctx, p.cfg, p.dir, p.claim(ctx), p.log, &p.stoppers); err != nil {
		return err
	}
	if p.logs, err = logstream.Open(logstream.Options{Dir: p.dir.sub("logs"), Now: now}); err != nil {
		return err
	}
	p.add("log store", plain(p.logs.Close))
	if err := p.openObjects(ctx); err != nil {
		return err
	}
	if err := p.dir.sync(); err != nil {
		return fmt.Errorf("cannot keep the data folder: %w", err)
	}
	return nil
}

func (p *parts) openSandboxes(ctx context.Context) error {
	driver, err := linuxsandbox.New(linuxsandbox.Options{
		StateDir: p.dir.sub("sandboxes"), Helper: p.cfg.Helper, Prepared: p.cfg.Prepared, Outside: outside(p.cfg), CPU: p.cfg.CPU == "share",
		Log: p.log,
	})
	if err != nil {
		return err
	}
	p.add("sandboxes", plain(driver.Close))
	if p.cfg.Freeze == "on" && !driver.Freezes() {
		return errors.New("freeze: this user has no cgroup to freeze functions with; `lamina doctor` says what helps, and auto does without")
	}
	if p.cfg.CPU == "share" && !driver.LimitsCPU() {
		return errors.New("cpu: this user has no cgroup to limit the processor with; `lamina doctor` says what helps, and --cpu off does without")
	}
	if err := driver.Recover(ctx); err != nil {
		// What is left takes room but is in nobody's way, since names of sandboxes are never used twice.
		p.log.Warn("cannot remove all that a killed server left", "error", err)
	}
	if err := tryOutside(ctx, driver, p.cfg, p.log); err != nil {
		return err
	}
	if err := p.openEndpoint(ctx); err != nil {
		return err
	}
	o := execenv.Options{
		Sandboxes:   driver,
		Runtimes:    runtimes.New(runtimes.Options{Dir: p.dir.sub("runtimes"), Store: p.own, Log: p.log}),
		Store:       p.store,
		Bus:         telemetry.NewBus(p.logs),
		IdleTimeout: p.cfg.IdleTimeout,
		Spares:      p.cfg.Spares,
		Ahead:       p.cfg.Ahead,
		Freeze:      p.cfg.Freeze != "off" && driver.Freezes(),
		CPU:         p.cfg.CPU == "share",
		Reach:       p.cfg.Reach,
		Keys:        p.sessions,
		Now:         now,
		Log:         p.log,
	}
	if p.endpoint != nil {
		o.Endpoint = p.endpoint
	}
	p.pool = execenv.New(o)
	p.add("execution environments", p.pool.Close)
	r := &recycler{changed: p.changed, newest: p.records.Newest, pool: p.pool, log: p.log}
	r.start(ctx)
	p.add("view of other servers", func(context.Context) error { r.stop(); return nil })
	return nil
}

// openEndpoint prepares what lets functions call the API: keys, and a server for the listeners in their sandboxes.
func (p *parts) openEndpoint(ctx context.Context) error {
	p.sessions = auth.NewSessions(p.secret)
	if p.cfg.EndpointURL == "off" {
		return nil
	}
	p.endpoint = newEndpoint(ctx, p.log)
	p.add("API of functions", plain(p.endpoint.close))
	return nil
}

func (p *parts) startFrontDoor(ctx context.Context) error {
	o := control.Options{
		Catalog: retiring{p.catalog, p.pool}, Store: p.store, Blobs: p.blobs, Objects: p.named, Concurrency: p.cfg.Concurrency, Limits: p.cfg.Quotas(),
		Organisations: p.cfg.Organizations(), Now: now, Log: p.log,
	}
	if p.cfg.Shared() {
		o.Others, o.Follow = othersInterval, followTime
	}
	management := control.New(o)
	if err := management.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	p.add("management", func(context.Context) error { management.Stop(); return nil })
	p.handler = api.New(api.Options{
		Control:  management,
		Invoke:   invoke.New(invoke.Options{Catalog: p.catalog, Pool: p.pool, Concurrency: p.cfg.Concurrency}),
		Logs:     p.logs,
		Objects:  p.objects,
		S3:       p.cfg.S3Endpoint,
		Account:  p.cfg.Account,
		Region:   p.cfg.Region,
		Hosts:    p.cfg.Host,
		Secret:   p.secret,
		Sessions: p.sessions,
		Now:      now,
		Log:      p.log,
		Version:  ThisBuild().Version,
	})
	if p.endpoint != nil {
		p.endpoint.handler = p.handler
	}
	return nil
}
