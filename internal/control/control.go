package control

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
)

// Options are the parts that a Service works with. It closes none of them.
type Options struct {
	Catalog     catalog.Store
	Store       Trees
	Blobs       *blob.Store // where zips are staged
	Objects     Objects     // nil: zips are sent, and not named
	Concurrency int         // invocations of one account and region at a time; 0: AWS's default, 1000
	// Limits are the quotas that hold; the zero value means AWS's.
	Limits lambda.Limits
	// Organisations gives the organisation of each account that has one.
	Organisations map[string]string
	// Others is how often to look for changes that another server has begun and left; 0 says that there is no other server. Within
	// Follow, other servers see a change.
	Others, Follow time.Duration
	Now            func() time.Time
	Log            *slog.Logger // nil: nothing is logged
}

// Trees is what control needs of a *layerstore.Store.
type Trees interface {
	Import(ctx context.Context, st *blob.Staged, lim layerstore.ImportLimits) (lambda.Content, error)
	Lower(ctx context.Context, c lambda.Content) (*layerstore.Lower, error)
	Entries(ctx context.Context, c lambda.Content) ([]archive.Entry, error)
	OpenZip(ctx context.Context, d digest.Digest) (blob.Reader, error)
}

var _ Trees = (*layerstore.Store)(nil)

// Service answers the operations. Its methods may be called concurrently.
type Service struct {
	catalog       catalog.Store
	trees         Trees
	blobs         *blob.Store
	objects       Objects
	organisations map[string]string
	concurrency   int
	limits        lambda.Limits
	now           func() time.Time
	settler       *settler

	// provisioning makes those who provision wait for each other: a version is provisioned by its number or by an alias.
	provisioning sync.Mutex
}

// New gives a service. Functions stay Pending until Start.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limits == (lambda.Limits{}) {
		o.Limits = lambda.AWSLimits()
	}
	if o.Concurrency <= 0 {
		o.Concurrency = lambda.DefaultConcurrency
	}
	settler := newSettler(o.Catalog, o.Store, o.Log)
	settler.others, settler.follow = o.Others, o.Follow
	return &Service{catalog: o.Catalog, trees: o.Store, blobs: o.Blobs, objects: o.Objects, organisations: o.Organisations, concurrency: o.Concurrency,
		limits: o.Limits,
		now:    o.Now, settler: settler}
}

// Limits are the quotas that hold.
func (s *Service) Limits() lambda.Limits { return s.limits }

// Start takes up the changes that a crash or a stop interrupted and begins to work in the background. ctx ends that work, as
// Stop does.
func (s *Service) Start(ctx context.Context) error { return s.settler.start(ctx) }

// Stop ends the work in the background and waits for it; what was not finished is taken up by the next Start. It may be
// called twice, and without Start.
func (s *Service) Stop() { s.settler.stop() }

// StageZip takes in the bytes of a zip while they arrive. The operation that is then given the zip commits or discards it; who
// does not come that far discards it himself. An error of r is given back as it is.
func (s *Service) StageZip(ctx context.Context, r io.Reader) (*blob.Staged, error) {
	return s.blobs.Stage(ctx, r)
}

// OpenZip opens a stored zip for a download; it is of kind NotFound when there is none.
func (s *Service) OpenZip(ctx context.Context, d digest.Digest) (blob.Reader, error) {
	r, err := s.trees.OpenZip(ctx, d)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &lambda.Error{Kind: lambda.NotFound, Message: noSuchResource, Err: err}
	}
	return r, err
}

// importFor verifies and stores a zip for an account, whose trees share files with this one; unzipped is how many bytes it may
// hold, always more than 0.
func (s *Service) importFor(ctx context.Context, account string, z zip, unzipped int64) (lambda.Content, error) {
	return s.trees.Import(ctx, z.Staged, layerstore.ImportLimits{ZippedSize: z.limit, UnzippedSize: unzipped, Account: account})
}

// discard is deferred by every operation that is given a zip; it does nothing when there is none, or after Import.
func discard(st *blob.Staged) {
	if st != nil {
		st.Discard()
	}
}

// kindText gives an error of one kind AWS's text, and other errors back as they are.
func kindText(err error, kind lambda.Kind, text string) error {
	if !lambda.IsKind(err, kind) {
		return err
	}
	return &lambda.Error{Kind: kind, Message: text, Err: err}
}

// storageText gives an error of kind OverQuota AWS's text.
func storageText(err error) error {
	return kindText(err, lambda.OverQuota, "Code storage limit exceeded.")
}

// notBuilt says which member of a request asks for what is not built yet.
func notBuilt(member string) error {
	return lambda.Errorf(lambda.NotBuilt, "lamina does not implement %s yet.", member)
}
