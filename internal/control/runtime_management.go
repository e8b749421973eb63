package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// RuntimeManagement is when a function gets a newer version of its runtime. It is kept and shown: lamina never changes a
// runtime on its own.
type RuntimeManagement struct {
	UpdateOn          string // "Auto", "FunctionUpdate" or "Manual"
	RuntimeVersionARN string `json:",omitempty"` // of Manual alone
}

// DefaultRuntimeUpdate is what holds when nobody has said anything.
const DefaultRuntimeUpdate = "Auto"

// RuntimeManagementConfig is one of a function or a version.
type RuntimeManagementConfig struct {
	RuntimeManagement
	FunctionARN string
}

// GetRuntimeManagementConfig gives what is recorded for a function or a version.
func (s *Service) GetRuntimeManagementConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (RuntimeManagementConfig, error) {
	if err := s.checkRuntimeManaged(ctx, caller, ref); err != nil {
		return RuntimeManagementConfig{}, err
	}
	m, _, err := readRecord[RuntimeManagement](ctx, s, unlatest(ref), catalog.RecordRuntimeManagement)
	if lambda.IsKind(err, lambda.NotFound) {
		m, err = RuntimeManagement{UpdateOn: DefaultRuntimeUpdate}, nil
	}
	return RuntimeManagementConfig{m, namedARN(ref)}, err
}

// PutRuntimeManagementConfig records when a function or a version gets a newer version of its runtime.
func (s *Service) PutRuntimeManagementConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, in RuntimeManagement) (RuntimeManagementConfig, error) {
	if err := s.checkRuntimeManaged(ctx, caller, ref); err != nil {
		return RuntimeManagementConfig{}, err
	}
	switch manual := in.UpdateOn == "Manual"; {
	case manual && in.RuntimeVersionARN == "":
		return RuntimeManagementConfig{}, lambda.Errorf(lambda.Invalid, "RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
	case !manual && in.RuntimeVersionARN != "":
		return RuntimeManagementConfig{}, lambda.Errorf(lambda.Invalid, "RuntimeVersionArn can only be given when UpdateRuntimeOn is Manual.")
	}
	_, err := changeRecord(ctx, s, unlatest(ref), catalog.RecordRuntimeManagement,
		func(*RuntimeManagement) (*RuntimeManagement, error) { return &in, nil })
	return RuntimeManagementConfig{in, namedARN(ref)}, kindText(err, lambda.NotFound, functionNotFound(ref))
}

// checkRuntimeManaged refuses what has no runtime of its own: an alias, and what is not there.
func (s *Service) checkRuntimeManaged(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if err := Reach(caller, ref); err != nil {
		return err
	}
	if _, number := ref.Qualifier.Number(); !number && ref.Qualifier != "" && ref.Qualifier != lambda.VersionLatest {
		return lambda.Errorf(lambda.Invalid, "The provided function name %s is invalid. Aliases are not allowed.", ref.QualifiedARN(ref.Qualifier))
	}
	_, err := s.describe(ctx, caller, ref)
	return err
}
