package control

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
)

// UpdateFunctionCodeInput is the request of UpdateFunctionCode.
type UpdateFunctionCodeInput struct {
	Caller        lambda.Scope
	Ref           lambda.FunctionRef
	Package       Package
	Architectures []string          // empty: as they are
	RevisionID    lambda.RevisionID // "": whatever it is
	DryRun        bool              // check everything and answer what the function would be
	Publish       bool              // publish a version of it
	NotBuilt      []string          // as in CreateFunctionInput
}

// UpdateFunctionCode gives a function another deployment package.
func (s *Service) UpdateFunctionCode(ctx context.Context, in UpdateFunctionCodeInput) (Described, error) {
	defer discard(in.Package.Zip)
	f, err := s.findLatest(ctx, in.Caller, in.Ref)
	if err != nil {
		return Described{}, err
	}
	if err := checkUpdateCode(in); err != nil {
		return Described{}, err
	}
	if err := s.checkSigned(ctx, in.Caller, in.Ref); err != nil {
		return Described{}, err
	}
	if err := checkUpdatable(f, in.RevisionID); err != nil {
		return Described{}, err
	}
	zip, err := s.fetch(ctx, in.Caller, in.Package.Zip, in.Package.S3)
	if err != nil {
		return Described{}, err
	}
	defer discard(zip.Staged)
	code, err := s.importBeside(ctx, f.Key.Account, zip, f.Latest.Layers)
	if err != nil {
		return Described{}, err
	}
	change := func(r *lambda.Revision) error {
		r.Code = code
		if len(in.Architectures) > 0 {
			r.Config.Architectures = in.Architectures
		}
		if rest := s.limits.UnzippedSize - unzippedSize(r.Layers); code.UnzippedSize > rest { // other layers than before
			return codeTooLarge(rest)
		}
		return nil
	}
	if in.DryRun {
		err := change(&f.Latest)
		return latest(f), err
	}
	if in.Publish {
		return s.reviseAndPublish(ctx, in.Ref, in.RevisionID, change)
	}
	f, err = s.revise(ctx, in.Ref, in.RevisionID, change)
	return latest(f), err
}

func checkUpdateCode(in UpdateFunctionCodeInput) error {
	if err := checkMembers(in.NotBuilt); err != nil {
		return err
	}
	if in.Package.ImageURI != "" {
		return lambda.Errorf(lambda.Invalid, "Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	return in.Package.check()
}
