package catalog

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
)

// Version is a revision that was published under a number. Its code and configuration never change.
type Version struct {
	Number      int64 // 1, 2, 3 … of the function's name
	Revision    lambda.Revision
	Description string // of the version, in the place of the revision's
	RevisionID  lambda.RevisionID
	State       lambda.State
	StateReason Reason
}

// Alias is a name for a version, or for two of them.
type Alias struct {
	Key         lambda.FunctionKey
	Name        lambda.Qualifier
	Version     int64 // 0 is $LATEST
	Description string
	Share       *Share // what another version takes of the invocations; nil when it is all Version's
	RevisionID  lambda.RevisionID
}

// Share is the part of an alias's invocations that goes to a second version.
type Share struct {
	Version int64
	Weight  float64 // from 0 to 1
}

// Versions is the part of a catalog that holds versions and aliases. All of them go with their function.
//
// A version that is Pending follows the function: the update of the function that ends the change of the version's revision
// makes the version Active or Failed, under a new RevisionID.
type Versions interface {
	// PublishVersion is UpdateFunction with a version. publish is given the function and its newest version, nil when there
	// is none any more, and gives the version to record: Description, State and StateReason count, Revision is the function's
	// newest. When it gives nil and has asked for no new revision, nothing is recorded, and the Version is the newest one.
	PublishVersion(ctx context.Context, k lambda.FunctionKey, quota int64,
		publish func(f *Function, newest *Version) (*Version, error)) (Function, Version, error)
	GetVersion(ctx context.Context, k lambda.FunctionKey, number int64) (Version, error)
	// ListVersions gives up to limit versions with numbers above after, ascending; none of a function that does not exist.
	ListVersions(ctx context.Context, k lambda.FunctionKey, after int64, limit int) ([]Version, error)
	// DeleteVersion forgets a version and the records of its number; to delete what is not there is no error. It is of kind
	// lambda.Conflict when an alias means the version.
	DeleteVersion(ctx context.Context, k lambda.FunctionKey, number int64) error

	// InsertAlias records an alias. It is of kind lambda.NotFound when the function or a version is not there.
	InsertAlias(ctx context.Context, a Alias) (Alias, error)
	GetAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) (Alias, error)
	// ListAliases gives up to limit aliases whose name comes after the given one, by name; of those that mean a version, also
	// beside others, unless version is negative.
	ListAliases(ctx context.Context, k lambda.FunctionKey, version int64, after lambda.Qualifier, limit int) ([]Alias, error)
	// UpdateAlias lets change work on an alias and records it; kinds as of InsertAlias. An error of change is given back.
	UpdateAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier, change func(*Alias) error) (Alias, error)
	// DeleteAlias forgets an alias and the records of its name; to delete what is not there is no error.
	DeleteAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) error
}
