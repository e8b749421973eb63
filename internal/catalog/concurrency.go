package catalog

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
)

// Shares is how the concurrency of an account in a region is shared out.
type Shares struct {
	Reserved    map[lambda.FunctionName]int // of the functions that have reserved some
	Provisioned []Record                    // of kind RecordProvisionedConcurrency, by function and qualifier
}

// Concurrency is the part of a catalog that shares out the concurrency of accounts.
type Concurrency interface {
	// Shares gives how it is shared out now.
	Shares(ctx context.Context, s lambda.Scope) (Shares, error)
	// UpdateReserved is UpdateFunction for a change that depends on the shares of the function's account and region: nobody else,
	// on this server or on another, changes them between what change sees and the record of it.
	UpdateReserved(ctx context.Context, k lambda.FunctionKey, change func(*Function, Shares) error) (Function, error)
	// UpdateProvisioned is UpdateRecord of kind RecordProvisionedConcurrency for such a change.
	UpdateProvisioned(ctx context.Context, k lambda.FunctionKey, q lambda.Qualifier, change func(*Record, Shares) error) (Record, error)
}
