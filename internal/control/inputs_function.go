package control

import (
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Package is where a deployment package comes from. At most one of its members may be set; all but Zip are not built.
type Package struct {
	Zip      *blob.Staged // staged with Service.StageZip; the operation commits or discards it, whatever it answers
	S3       bool         // any of S3Bucket, S3Key, S3ObjectVersion was sent
	ImageURI string
}

// CreateFunctionInput is the request of CreateFunction. Zero members of Config take AWS's defaults.
type CreateFunctionInput struct {
	Caller  lambda.Scope       // account and region of the request
	Ref     lambda.FunctionRef // the function as the request names it
	Config  lambda.Configuration
	Package Package
	// EnvironmentJSON is the JSON of Environment.Variables as it was sent, for the one message that prints the variables in
	// the order of the request. Without it they are printed in the order of their names.
	EnvironmentJSON string
	LayerARNs       []string
	Tags            map[string]string
	Publish         bool
	// NotBuilt names the members of the request that ask for what lamina does not build yet (VpcConfig, FileSystemConfigs, …);
	// any of them makes the operation answer kind NotBuilt.
	NotBuilt []string
}

// ListFunctionsInput is the request of ListFunctions.
type ListFunctionsInput struct {
	Caller lambda.Scope
	Marker string // NextMarker of the page before, "" for the first page
	Limit  int    // 0: the longest page; longer than that is cut
}

// FunctionPage is a page of functions by name. NextMarker is "" on the last page.
type FunctionPage struct {
	Functions  []catalog.Function
	NextMarker string
}

// UpdateFunctionCodeInput is the request of UpdateFunctionCode.
type UpdateFunctionCodeInput struct {
	Caller        lambda.Scope
	Ref           lambda.FunctionRef
	Package       Package
	Architectures []string          // nil: as they are
	RevisionID    lambda.RevisionID // "": whatever it is
	DryRun        bool              // check everything, change nothing
	Publish       bool
	NotBuilt      []string // as in CreateFunctionInput
}

// UpdateFunctionConfigurationInput is the request of UpdateFunctionConfiguration; a nil member stays as it is.
type UpdateFunctionConfigurationInput struct {
	Caller          lambda.Scope
	Ref             lambda.FunctionRef
	Runtime         *lambda.Runtime
	Handler         *string
	Role            *string
	Description     *string
	MemorySize      *int
	Timeout         *int
	StorageSize     *int
	Environment     *lambda.Variables
	EnvironmentJSON string // as in CreateFunctionInput
	TracingMode     *string
	SnapStart       *string
	Logging         *LoggingUpdate
	KMSKeyARN       *string
	DeadLetterARN   *string
	Layers          *[]string // an empty list removes all
	RevisionID      lambda.RevisionID
	NotBuilt        []string // as in CreateFunctionInput
}

// LoggingUpdate is a LoggingConfig that is merged with the one that is there; an empty member stays as it is.
type LoggingUpdate = lambda.LoggingConfig
