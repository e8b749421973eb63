package catalog

import (
	"context"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// CodeSigningConfig says whose signatures code must have. A function has one by a record of kind RecordCodeSigning, whose
// document is the ID as JSON.
type CodeSigningConfig struct {
	Scope       lambda.Scope
	ID          string  // "csc-…"
	Description *string // nil when not sent
	Publishers  []string
	Policy      string            // about code without such a signature: "Warn" or "Enforce"
	Tags        map[string]string // nil for none
	Modified    time.Time
}

// CodeSigning is the part of a catalog that holds code signing configurations.
type CodeSigning interface {
	InsertCodeSigningConfig(ctx context.Context, c CodeSigningConfig) error
	GetCodeSigningConfig(ctx context.Context, s lambda.Scope, id string) (CodeSigningConfig, error)
	// ListCodeSigningConfigs gives up to limit configurations whose ID comes after the given one, by ID.
	ListCodeSigningConfigs(ctx context.Context, s lambda.Scope, after string, limit int) ([]CodeSigningConfig, error)
	// UpdateCodeSigningConfig lets change work on a configuration and records it. An error of change is given back.
	UpdateCodeSigningConfig(ctx context.Context, s lambda.Scope, id string, change func(*CodeSigningConfig) error) (CodeSigningConfig, error)
	// DeleteCodeSigningConfig forgets a configuration. It is of kind lambda.Conflict when a function has it.
	DeleteCodeSigningConfig(ctx context.Context, s lambda.Scope, id string) error
}
