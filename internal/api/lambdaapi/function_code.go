package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

func (a *API) updateFunctionCode(ctx context.Context, c *call, in *UpdateFunctionCodeRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	f, err := a.Control.UpdateFunctionCode(ctx, control.UpdateFunctionCodeInput{
		Caller: c.Scope, Ref: ref,
		Package:       c.pack(in.S3Bucket, in.S3Key, in.S3ObjectVersion, in.ImageURI),
		Architectures: in.Architectures, RevisionID: lambda.RevisionID(deref(in.RevisionID)),
		DryRun: deref(in.DryRun), Publish: deref(in.Publish),
		NotBuilt: notBuilt{
			"SourceKMSKeyArn": deref(in.SourceKMSKeyARN) != "",
			"PublishTo":       in.PublishTo != nil,
		}.names(),
	})
	if err != nil {
		return nil, err
	}
	q := ref.Qualifier
	if f.Version != lambda.VersionLatest { // the answer is about the version that was published
		q = f.Version
	}
	return configuration(f, q), nil
}
