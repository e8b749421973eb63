package catalog

import (
	"context"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// RecordKind says what a record of a function is about.
type RecordKind string

// The kinds of records.
const (
	RecordPolicy                 RecordKind = "policy"
	RecordEventInvoke            RecordKind = "event-invoke"
	RecordURL                    RecordKind = "url"
	RecordProvisionedConcurrency RecordKind = "provisioned-concurrency"
	RecordRecursion              RecordKind = "recursion"
	RecordRuntimeManagement      RecordKind = "runtime-management"
	RecordScaling                RecordKind = "scaling"
	RecordCodeSigning            RecordKind = "code-signing"
)

// Record is what else is kept of a function, a version or an alias: one document of each kind.
type Record struct {
	Key       lambda.FunctionKey
	Kind      RecordKind
	Qualifier lambda.Qualifier // "" of the function itself
	Document  string           // JSON; "" is no record
	Modified  time.Time
	Owner     lambda.RevisionID // of what it belongs to; UpdateRecord alone tells it: to change as it was, then as it is
}

// Records is the part of a catalog that holds records. They go with what they belong to.
type Records interface {
	GetRecord(ctx context.Context, k lambda.FunctionKey, kind RecordKind, q lambda.Qualifier) (Record, error)
	// ListRecords gives up to limit records of one kind whose qualifier comes after the given one; all of them when first.
	ListRecords(ctx context.Context, k lambda.FunctionKey, kind RecordKind, after lambda.Qualifier, first bool, limit int) ([]Record, error)
	// RecordsOf gives all records of one kind of an account in a region, by function and qualifier.
	RecordsOf(ctx context.Context, s lambda.Scope, kind RecordKind) ([]Record, error)
	// UpdateRecord lets change work on a record, which has no Document when there is none, and records the outcome; no
	// Document deletes it. It is of kind lambda.NotFound when the function, or the version or alias that q names, is not there.
	// renew gives what the record belongs to a new RevisionID. An error of change is given back.
	UpdateRecord(ctx context.Context, k lambda.FunctionKey, kind RecordKind, q lambda.Qualifier, renew bool, change func(*Record) error) (Record, error)
}

// Policy says who may use a layer version.
type Policy struct {
	Statements []Statement
	RevisionID lambda.RevisionID // "" when there never was a policy
}

// Statement is one grant of a resource policy. Empty members set no condition.
type Statement struct {
	ID           string
	Action       string
	Principal    string // as it was sent: "*", an account, an ARN or a service
	Organisation string `json:",omitempty"`

	SourceARN        string `json:",omitempty"`
	SourceAccount    string `json:",omitempty"`
	EventSourceToken string `json:",omitempty"`
	URLAuthType      string `json:",omitempty"`
	ViaURL           *bool  `json:",omitempty"`
}

// Policies is the part of a catalog that holds the policies of layer versions. They go with their version.
type Policies interface {
	// GetLayerPolicy gives the policy of a layer version, an empty one when it has none. It is of kind lambda.NotFound when
	// the version does not exist.
	GetLayerPolicy(ctx context.Context, arn lambda.LayerVersionARN) (Policy, error)
	// UpdateLayerPolicy lets change work on a policy and records it under a new RevisionID; kinds as of GetLayerPolicy.
	UpdateLayerPolicy(ctx context.Context, arn lambda.LayerVersionARN, change func(*Policy) error) (Policy, error)
}
