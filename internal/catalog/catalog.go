// Package catalog is the contract for the records of functions, layers and S3 objects, and nothing else.
//
// A driver keeps these promises:
//
//   - Every method is one transaction: it happens whole or not at all, and what it answered survives a crash.
//   - Every record has its key (partition, account, region, name); nothing is ever seen from another scope. Buckets alone
//     have names of a whole partition.
//   - Numbers are never reused: not a layer version's after its deletion, not a revision's.
//   - Every change takes the next sequence number of the whole catalog, so that caches can follow it.
//   - Absence is an error of kind lambda.NotFound, presence of kind lambda.Conflict, and an update of a record whose
//     RevisionID is not the expected one of kind lambda.Stale. Messages of these are for logs: the caller words AWS's.
//   - Strings with a NUL are refused with kind lambda.Invalid on every database, since PostgreSQL cannot hold them.
//   - Lists are sorted by bytes (the C collation), whatever the database's own collation is.
package catalog

import (
	"context"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// Account is an account and the organisation that it belongs to.
type Account struct {
	ID           string // 12 digits
	Organisation string // "o-…", "" when it belongs to none
}

// LayerVersion is one immutable publication.
type LayerVersion struct {
	ARN           lambda.LayerVersionARN
	Content       lambda.Content
	Description   *string  // nil when not sent, as AWS tells the two apart
	LicenseInfo   *string  // likewise
	Runtimes      []string // CompatibleRuntimes in the order sent; nil when not sent, empty when sent empty
	Architectures []string // CompatibleArchitectures, likewise
	Created       time.Time
}

// Function is the changeable record of a function: its state and its newest revision.
type Function struct {
	Key          lambda.FunctionKey
	ID           string // unlike the name, never used twice
	Latest       lambda.Revision
	RevisionID   lambda.RevisionID
	State        lambda.State
	StateReason  Reason
	UpdateStatus lambda.UpdateStatus
	UpdateReason Reason
	Tags         map[string]string
	Reserved     *int  // concurrent invocations that are the function's own, 0 for none at all; nil when nothing is reserved
	Newest       int64 // number of the version that was published last, 0 when none was
	Created      time.Time
	Sequence     int64 // of the last change

	// Records are what InsertFunction records with the function; nobody gives them back.
	Records []Record
}

// Usage is what an account has in a region.
type Usage struct {
	CodeSize  int64 // as of CodeStorage
	Functions int64
	Reserved  int64 // concurrent invocations that functions have reserved
}

// Reason is AWS's text and code beside a state.
type Reason struct{ Text, Code string }

// LayerFilter chooses layer versions; an empty member chooses all. A version that declares no runtimes does not match a
// runtime, and likewise for architectures.
type LayerFilter struct{ Runtime, Architecture string }

// Store is a catalog.
type Store interface {
	Versions
	Records
	Concurrency
	Policies
	CodeSigning
	Objects

	// Account gives an account, which need not have been seen before.
	Account(ctx context.Context, id string) (Account, error)
	// UpdateAccount records an account's organisation.
	UpdateAccount(ctx context.Context, a Account) error

	// InsertLayerVersion gives the version the next number of its layer (v.ARN.Version is ignored) and records it.
	// quota is the account's limit of stored zip bytes over all functions and layer versions; beyond it the error is of
	// kind lambda.OverQuota. 0 means no limit.
	InsertLayerVersion(ctx context.Context, v LayerVersion, quota int64) (LayerVersion, error)
	GetLayerVersion(ctx context.Context, arn lambda.LayerVersionARN) (LayerVersion, error)
	// ListLayerVersions gives up to limit versions numbered below before (0: from the newest), newest first.
	ListLayerVersions(ctx context.Context, layer lambda.LayerKey, f LayerFilter, before int64, limit int) ([]LayerVersion, error)
	// ListLayers gives the newest matching version of up to limit layers whose name comes after the given one, by name.
	ListLayers(ctx context.Context, s lambda.Scope, f LayerFilter, after lambda.LayerName, limit int) ([]LayerVersion, error)
	// DeleteLayerVersion forgets a version; to delete what is not there is no error. Revisions that pin it keep their content.
	DeleteLayerVersion(ctx context.Context, arn lambda.LayerVersionARN) error

	// InsertFunction records a function with its first revision (f.Latest.Number becomes 1). When f.Newest is not 0, the
	// revision is published at once, and Newest becomes the version's number. quota as in InsertLayerVersion.
	InsertFunction(ctx context.Context, f Function, quota int64) (Function, error)
	GetFunction(ctx context.Context, k lambda.FunctionKey) (Function, error)
	// ListFunctions gives up to limit functions whose name comes after the given one, by name.
	ListFunctions(ctx context.Context, s lambda.Scope, after lambda.FunctionName, limit int) ([]Function, error)
	// UpdateFunction reads the function, lets change work on the copy, and records it, all in one transaction that may run
	// change again. When change sets Latest to a revision other than before (compare its Number with 0: change sets Number
	// to 0 to ask for a new one), the revision is written as a new one and gets the next number. An error of change is
	// given back as it is and nothing is recorded. RevisionID and Sequence are renewed by every update.
	UpdateFunction(ctx context.Context, k lambda.FunctionKey, quota int64, change func(*Function) error) (Function, error)
	DeleteFunction(ctx context.Context, k lambda.FunctionKey) error
	// GetRevision gives an older or the newest state of $LATEST.
	GetRevision(ctx context.Context, k lambda.FunctionKey, functionID string, number int64) (lambda.Revision, error)
	// Unsettled gives the functions of all scopes that are Pending or whose update is InProgress: work that a crash may
	// have interrupted.
	Unsettled(ctx context.Context) ([]Function, error)

	// Usage gives what an account has in a region.
	Usage(ctx context.Context, s lambda.Scope) (Usage, error)
	// Reserved gives the concurrent invocations that the functions of an account in a region have reserved together.
	Reserved(ctx context.Context, s lambda.Scope) (int64, error)
	// CodeStorage gives the bytes of all zips of an account in a region: functions, their versions, and layer versions.
	CodeStorage(ctx context.Context, s lambda.Scope) (int64, error)
	// Sequence gives the number of the newest change.
	Sequence(ctx context.Context) (int64, error)
	Close() error
}
