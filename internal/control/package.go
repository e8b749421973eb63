package control

import (
	"context"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/lambda"
)

// Package is where a deployment package comes from. All but Zip are not built.
type Package struct {
	Zip      *blob.Staged // from StageZip; the operation commits or discards it
	S3       bool         // any of S3Bucket, S3Key, S3ObjectVersion was sent
	ImageURI string
}

// check refuses what is no source, or none that is built.
func (p Package) check() error {
	if p.Zip != nil && (p.S3 || p.ImageURI != "") {
		return lambda.Errorf(lambda.Invalid, "Please do not provide other FunctionCode parameters when providing a ZipFile.")
	}
	if p.S3 {
		return notBuilt("S3Bucket, S3Key and S3ObjectVersion of a function's code")
	}
	if p.ImageURI != "" {
		return notBuilt("ImageUri")
	}
	if p.Zip == nil {
		return lambda.Errorf(lambda.Invalid, "Please provide a source for function code.")
	}
	return nil
}

// importBeside stores a deployment package that has to fit beside its layers. The limit in AWS's text is what they leave.
func (s *Service) importBeside(ctx context.Context, account string, st *blob.Staged, layers []lambda.LayerRef) (lambda.Content, error) {
	rest := lambda.MaxUnzippedSize - unzippedSize(layers)
	if rest <= 0 {
		return lambda.Content{}, codeTooLarge(rest)
	}
	return s.importFor(ctx, account, st, rest)
}

func codeTooLarge(rest int64) error {
	return lambda.Errorf(lambda.Invalid, "Unzipped size must be smaller than %d bytes", rest)
}
