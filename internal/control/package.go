package control

import (
	"context"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/lambda"
)

// Package is where a deployment package comes from. ImageURI is not built.
type Package struct {
	Zip      *blob.Staged // from StageZip; the operation commits or discards it
	S3       *S3Object    // nil when none of S3Bucket, S3Key and S3ObjectVersion was sent
	ImageURI string
}

// check refuses what is no source, or none that is built.
func (p Package) check() error {
	if p.Zip != nil && (p.S3 != nil || p.ImageURI != "") {
		return lambda.Errorf(lambda.Invalid, "Please do not provide other FunctionCode parameters when providing a ZipFile.")
	}
	if p.ImageURI != "" {
		return notBuilt("ImageUri")
	}
	if p.Zip == nil && !p.S3.whole() {
		return lambda.Errorf(lambda.Invalid, "Please provide a source for function code.")
	}
	return nil
}

// whole reports whether there is an object that can be looked for.
func (o *S3Object) whole() bool { return o != nil && o.Bucket != "" && o.Key != "" }

// importBeside stores a deployment package that has to fit beside its layers. The limit in AWS's text is what they leave.
func (s *Service) importBeside(ctx context.Context, account string, z zip, layers []lambda.LayerRef) (lambda.Content, error) {
	rest := s.limits.UnzippedSize - unzippedSize(layers)
	if rest <= 0 {
		return lambda.Content{}, codeTooLarge(rest)
	}
	return s.importFor(ctx, account, z, rest)
}

func codeTooLarge(rest int64) error {
	return lambda.Errorf(lambda.Invalid, "Unzipped size must be smaller than %d bytes", rest)
}
