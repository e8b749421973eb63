package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

func (a *API) createFunction(ctx context.Context, c *call, in *CreateFunctionRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	f, err := a.Control.CreateFunction(ctx, control.CreateFunctionInput{
		Caller: c.Scope, Ref: ref,
		Config: lambda.Configuration{
			Runtime: lambda.Runtime(deref(in.Runtime)), Handler: deref(in.Handler), Role: in.Role,
			Description: deref(in.Description), MemorySize: int(deref(in.MemorySize)), Timeout: int(deref(in.Timeout)),
			StorageSize: int(deref(in.EphemeralStorage).Size), PackageType: deref(in.PackageType),
			Architectures: in.Architectures, Environment: variables(in.Environment),
			TracingMode: deref(deref(in.TracingConfig).Mode), SnapStart: deref(deref(in.SnapStart).ApplyOn),
			Logging: deref(logging(in.LoggingConfig)), KMSKeyARN: deref(in.KMSKeyARN),
			DeadLetterARN: deref(deref(in.DeadLetterConfig).TargetARN),
			VPC:           vpc(in.VPCConfig), FileSystems: deref(fileSystems(in.FileSystemConfigs)),
		},
		Package:         c.pack(in.Code.S3Bucket, in.Code.S3Key, in.Code.S3ObjectVersion, in.Code.ImageURI),
		EnvironmentJSON: c.environmentJSON(),
		LayerARNs:       in.Layers, Tags: in.Tags, Publish: deref(in.Publish), NotBuilt: createNotBuilt(in),
		CodeSigningARN: deref(in.CodeSigningConfigARN),
	})
	if err != nil {
		return nil, err
	}
	return configuration(f, ""), nil
}

func (a *API) getFunction(ctx context.Context, c *call, in *GetFunctionRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	f, err := a.Control.GetFunction(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return GetFunctionResponse{
		Configuration: configuration(f, ref.Qualifier),
		Code: &FunctionCodeLocation{
			RepositoryType: new("S3"),
			Location:       new(a.location(c, f.Latest.Code.Digest, string(f.Key.Name))),
		},
		Tags:        tags(f.Tags),
		Concurrency: concurrency(f.Reserved),
	}, nil
}

func (a *API) listFunctions(ctx context.Context, c *call, in *ListFunctionsRequest) (any, error) {
	if master := deref(in.MasterRegion); master != "" && master != "ALL" { // of Lambda@Edge's copies, and here there are none
		return ListFunctionsResponse{Functions: []FunctionConfiguration{}}, nil
	}
	page, err := a.Control.ListFunctions(ctx, control.ListFunctionsInput{
		Caller: c.Scope, All: in.FunctionVersion != nil, Marker: deref(in.Marker), Limit: int(deref(in.MaxItems)),
	})
	if err != nil {
		return nil, err
	}
	out := ListFunctionsResponse{NextMarker: optional(page.NextMarker), Functions: make([]FunctionConfiguration, 0, len(page.Functions))}
	for _, f := range page.Functions {
		var q lambda.Qualifier
		if in.FunctionVersion != nil { // "ALL": every item is named by its version
			q = f.Version
		}
		out.Functions = append(out.Functions, configurationItem(f, q))
	}
	return out, nil
}

func (a *API) deleteFunction(ctx context.Context, c *call, in *DeleteFunctionRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteFunction(ctx, c.Scope, ref)
}

// pack says where a deployment package comes from.
func (c *call) pack(bucket, key, version, image *string) control.Package {
	return control.Package{Zip: c.zip, S3: s3Object(bucket, key, version), ImageURI: deref(image)}
}

// s3Object is the object that a request names, nil when it names none.
func s3Object(bucket, key, version *string) *control.S3Object {
	if bucket == nil && key == nil && version == nil {
		return nil
	}
	return &control.S3Object{Bucket: deref(bucket), Key: deref(key), Version: deref(version)}
}

// tags gives the member, which is absent when there are none.
func tags(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
