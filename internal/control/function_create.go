package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// CreateFunctionInput is the request of CreateFunction. Zero members of Config take AWS's defaults.
type CreateFunctionInput struct {
	Caller  lambda.Scope       // account and region of the request
	Ref     lambda.FunctionRef // the function as the request names it
	Config  lambda.Configuration
	Package Package
	// EnvironmentJSON is the JSON of Environment.Variables as it was sent, for the messages that print variables in the order
	// of the request. Without it they are printed by name.
	EnvironmentJSON string
	LayerARNs       []string
	Tags            map[string]string
	Publish         bool   // publish version 1 at once
	CodeSigningARN  string // "" for none
	// NotBuilt names the members of the request that ask for what is not built (ImageConfig, DurableConfig, …). Any of them
	// is answered with kind NotBuilt.
	NotBuilt []string
}

// creating is what AWS says beside the state of a new function, and of one that is updated: yes, the same words.
var creating = catalog.Reason{Text: "The function is being created.", Code: "Creating"}

// CreateFunction records a function, which is then Pending.
func (s *Service) CreateFunction(ctx context.Context, in CreateFunctionInput) (Described, error) {
	defer discard(in.Package.Zip)
	if err := s.checkCreate(in); err != nil {
		return Described{}, err
	}
	signing, err := s.signing(ctx, in)
	if err != nil {
		return Described{}, err
	}
	layers, err := s.attach(ctx, in.Caller, in.LayerARNs)
	if err != nil {
		return Described{}, err
	}
	if err := s.checkAbsent(ctx, in.Ref.FunctionKey); err != nil {
		return Described{}, err
	}
	rev := lambda.Revision{Config: withDefaults(in.Config, in.Ref.Name), Layers: layers.layers, ShadowMap: layers.shadows}
	zip, err := s.fetch(ctx, in.Caller, in.Package.Zip, in.Package.S3)
	if err != nil {
		return Described{}, err
	}
	defer discard(zip.Staged)
	if rev.Code, err = s.importFor(ctx, in.Ref.Account, zip, s.limits.UnzippedSize); err != nil {
		return Described{}, err
	}
	if err := s.checkTotal(rev); err != nil {
		return Described{}, err
	}
	return s.insertFunction(ctx, in, rev, signing)
}

func (s *Service) insertFunction(ctx context.Context, in CreateFunctionInput, rev lambda.Revision, records []catalog.Record) (Described, error) {
	now := s.now()
	rev.LastModified = now
	publish := int64(0)
	if in.Publish {
		publish = 1
	}
	f, err := s.catalog.InsertFunction(ctx, catalog.Function{
		Newest:      publish,
		Key:         in.Ref.FunctionKey,
		Latest:      rev,
		State:       lambda.StatePending,
		StateReason: creating,
		Tags:        in.Tags,
		Records:     records,
		Created:     now,
	}, s.limits.CodeStorage)
	if err != nil {
		return Described{}, storageText(kindText(err, lambda.Conflict, functionExists(in.Ref.Name)))
	}
	s.settler.add(f)
	d := latest(f)
	if in.Publish { // AWS shows the function, with the number of its version
		d.Version = lambda.VersionNumber(f.Newest)
	}
	return d, nil
}

// checkCreate refuses what can be refused without looking anything up.
func (s *Service) checkCreate(in CreateFunctionInput) error {
	if err := Reach(in.Caller, in.Ref); err != nil {
		return err
	}
	if len(in.Ref.Name) > lambda.MaxFunctionName {
		return lambda.Errorf(lambda.Invalid, "1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", in.Ref.Name, lambda.MaxFunctionName)
	}
	if err := checkBuilt(in); err != nil {
		return err
	}
	if err := in.Package.check(); err != nil {
		return err
	}
	if in.Config.Runtime == "" || in.Config.Handler == "" {
		return lambda.Errorf(lambda.Invalid, "Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if err := checkRuntime(in.Config.Runtime); err != nil {
		return err
	}
	if err := s.checkEnvironment(in.Config.Environment, in.EnvironmentJSON); err != nil {
		return err
	}
	if err := checkLogging(lambda.LoggingConfig{}, in.Config.Logging); err != nil {
		return err
	}
	if err := checkVPC(&in.Config); err != nil {
		return err
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return nil
}

// checkBuilt refuses what AWS has and lamina has not yet.
func checkBuilt(in CreateFunctionInput) error {
	if in.Config.PackageType == "Image" {
		if in.Config.Handler != "" || in.Config.Runtime != "" || len(in.LayerARNs) > 0 {
			return lambda.Errorf(lambda.Invalid,
				"Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
		}
		return notBuilt("PackageType Image")
	}
	return checkMembers(in.NotBuilt)
}

// checkMembers refuses the members that no operation on functions honours yet.
func checkMembers(members []string) error {
	if len(members) > 0 {
		return notBuilt(members[0])
	}
	return nil
}

// checkAbsent spares storing the zip of a function that exists.
func (s *Service) checkAbsent(ctx context.Context, k lambda.FunctionKey) error {
	_, err := s.catalog.GetFunction(ctx, k)
	switch {
	case err == nil:
		return lambda.Errorf(lambda.Conflict, "%s", functionExists(k.Name))
	case lambda.IsKind(err, lambda.NotFound):
		return nil
	}
	return err
}

func functionExists(name lambda.FunctionName) string {
	return "Function already exist: " + string(name)
}
