package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// checkUpdatable refuses an update of a function that is being changed, or that the caller has not seen as it is.
func checkUpdatable(f catalog.Function, seen lambda.RevisionID) error {
	if f.State == lambda.StatePending || f.UpdateStatus == lambda.UpdateInProgress {
		return lambda.Errorf(lambda.Conflict,
			"The operation cannot be performed at this time. An update is in progress for resource: %s", f.Key.ARN())
	}
	if seen != "" && seen != f.RevisionID {
		return lambda.Errorf(lambda.Stale, "The Revision Id provided does not match the latest Revision Id. "+
			"Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	}
	return nil
}

// revise writes a new revision of a function, whose update is then InProgress. revise itself may run again.
func (s *Service) revise(ctx context.Context, ref lambda.FunctionRef, seen lambda.RevisionID, change func(*lambda.Revision) error) (catalog.Function, error) {
	now := s.now()
	f, err := s.catalog.UpdateFunction(ctx, ref.FunctionKey, lambda.MaxCodeStorage, func(f *catalog.Function) error {
		if err := checkUpdatable(*f, seen); err != nil {
			return err
		}
		if err := change(&f.Latest); err != nil {
			return err
		}
		f.Latest.Number, f.Latest.LastModified = 0, now
		f.UpdateStatus, f.UpdateReason = lambda.UpdateInProgress, creating
		return nil
	})
	if err != nil {
		return f, storageText(kindText(err, lambda.NotFound, functionNotFound(ref)))
	}
	s.settler.add(f)
	return f, nil
}
