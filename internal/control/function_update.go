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
	return checkSeen(seen, f.RevisionID)
}

const (
	stale         = "The Revision Id provided does not match the latest Revision Id. "
	staleFunction = stale + "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)

// checkSeen refuses a change of what the caller has not seen as it is; one that has not said what it saw may change it.
func checkSeen(seen, is lambda.RevisionID) error {
	if seen != "" && seen != is {
		return lambda.Errorf(lambda.Stale, staleFunction)
	}
	return nil
}

// revise writes a new revision of a function, whose update is then InProgress. change may run again.
func (s *Service) revise(ctx context.Context, ref lambda.FunctionRef, seen lambda.RevisionID, change func(*lambda.Revision) error) (catalog.Function, error) {
	edit := s.revision(seen, change)
	f, err := s.catalog.UpdateFunction(ctx, ref.FunctionKey, s.limits.CodeStorage, edit)
	if err != nil {
		return f, storageText(kindText(err, lambda.NotFound, functionNotFound(ref)))
	}
	s.settler.add(f)
	return f, nil
}

// revision gives what makes a new revision of a function.
func (s *Service) revision(seen lambda.RevisionID, change func(*lambda.Revision) error) func(*catalog.Function) error {
	now := s.now()
	return func(f *catalog.Function) error {
		if err := checkUpdatable(*f, seen); err != nil {
			return err
		}
		if err := change(&f.Latest); err != nil {
			return err
		}
		f.Latest.Number, f.Latest.LastModified = 0, now
		f.UpdateStatus, f.UpdateReason = lambda.UpdateInProgress, creating
		return nil
	}
}

// reviseAndPublish writes a new revision and publishes it, and gives the version. A revision that differs in nothing from
// the newest version is not published again.
func (s *Service) reviseAndPublish(ctx context.Context, ref lambda.FunctionRef, seen lambda.RevisionID, change func(*lambda.Revision) error) (Described, error) {
	edit := s.revision(seen, change)
	f, v, err := s.catalog.PublishVersion(ctx, ref.FunctionKey, s.limits.CodeStorage, func(f *catalog.Function, newest *catalog.Version) (*catalog.Version, error) {
		if err := edit(f); err != nil {
			return nil, err
		}
		if newest != nil && sameContent(newest.Revision, f.Latest) {
			return nil, nil
		}
		return &catalog.Version{Description: f.Latest.Config.Description, State: lambda.StatePending, StateReason: creating}, nil
	})
	if err != nil {
		return Described{}, storageText(kindText(err, lambda.NotFound, functionNotFound(ref)))
	}
	s.settler.add(f)
	return published(f, v), nil
}
