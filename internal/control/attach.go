package control

import (
	"context"
	"fmt"
	"regexp"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer/merge"
)

// attachment is a list of layers as a revision pins it.
type attachment struct {
	layers  []lambda.LayerRef
	shadows []lambda.Shadow
}

// attach looks up the layer versions of a list for a function of the caller, and refuses the list in AWS's order of checks.
// Which runtimes and architectures a layer declares is advice, as on AWS.
func (s *Service) attach(ctx context.Context, caller lambda.Scope, list []string) (attachment, error) {
	if err := checkLayerARNs(list); err != nil {
		return attachment{}, err
	}
	if len(list) > s.limits.Layers {
		return attachment{}, lambda.Errorf(lambda.Invalid, "Cannot reference more than %d layers.", s.limits.Layers)
	}
	arns, err := parseLayers(list)
	if err != nil {
		return attachment{}, err
	}
	for _, arn := range arns {
		if arn.Account == caller.Account && arn.Region != caller.Region {
			return attachment{}, lambda.Errorf(lambda.Invalid,
				"Layers are not in the same region as the function. Layers are expected to be in region %s.", caller.Region)
		}
	}
	if len(arns) == 0 {
		return attachment{}, nil
	}
	a := attachment{layers: make([]lambda.LayerRef, len(arns))}
	for i, arn := range arns {
		if a.layers[i], err = s.pin(ctx, caller, arn); err != nil {
			return attachment{}, err
		}
	}
	if err := checkSameLayer(arns); err != nil {
		return attachment{}, err
	}
	if unzippedSize(a.layers) > s.limits.UnzippedSize {
		return attachment{}, lambda.Errorf(lambda.Invalid,
			"Layers consume more than the available size of %d bytes", s.limits.UnzippedSize)
	}
	a.shadows, err = s.shadows(ctx, a.layers)
	return a, err
}

var layerVersionARN = regexp.MustCompile("^(" + lambda.LayerVersionARNPattern + ")$")

// checkLayerARNs refuses what is no ARN of a layer version. AWS prints the whole list when one of them is bad.
func checkLayerARNs(list []string) error {
	for _, s := range list {
		if !layerVersionARN.MatchString(s) {
			return lambda.Errorf(lambda.Constraint, "1 validation error detected: Value '%s' at 'layers' failed to satisfy "+
				"constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have "+
				"length greater than or equal to 1, Member must satisfy regular expression pattern: %s, Member must not be null]",
				printList(list), lambda.LayerVersionARNPattern)
		}
	}
	return nil
}

// parseLayers reads a list of ARNs. Those of AWS's own layers, which have no version, and numbers that nobody can have reached
// name what does not exist.
func parseLayers(list []string) ([]lambda.LayerVersionARN, error) {
	arns := make([]lambda.LayerVersionARN, len(list))
	for i, s := range list {
		var err error
		if arns[i], err = lambda.ParseLayerVersionARN(s); err != nil {
			return nil, lambda.Errorf(lambda.Invalid, "Layer version %s does not exist.", s)
		}
	}
	return arns, nil
}

// pin gives what a revision keeps of a layer version, also when the version is deleted later.
func (s *Service) pin(ctx context.Context, caller lambda.Scope, arn lambda.LayerVersionARN) (lambda.LayerRef, error) {
	if err := s.checkReadable(ctx, caller, arn); err != nil {
		return lambda.LayerRef{}, err
	}
	v, err := s.catalog.GetLayerVersion(ctx, arn)
	if lambda.IsKind(err, lambda.NotFound) { // here it is a wrong value, not a resource that was asked for
		return lambda.LayerRef{}, &lambda.Error{Kind: lambda.Invalid, Message: fmt.Sprintf("Layer version %s does not exist.", arn), Err: err}
	}
	return lambda.LayerRef{ARN: arn, Content: v.Content}, err
}

// checkSameLayer names the first pair of versions of one layer. AWS's text calls them different even when they are equal.
func checkSameLayer(arns []lambda.LayerVersionARN) error {
	first := map[lambda.LayerKey]lambda.LayerVersionARN{}
	for _, arn := range arns {
		if other, ok := first[arn.LayerKey]; ok {
			return lambda.Errorf(lambda.Invalid, "Two different versions of the same layer are not allowed to be referenced in the "+
				"same function. %s and %s are versions of the same layer.", other, arn)
		}
		first[arn.LayerKey] = arn
	}
	return nil
}

// shadows tells which layer wins each path that several bring.
func (s *Service) shadows(ctx context.Context, layers []lambda.LayerRef) ([]lambda.Shadow, error) {
	if len(layers) < 2 {
		return nil, nil
	}
	entries := make([][]archive.Entry, len(layers))
	for i, l := range layers {
		var err error
		if entries[i], err = s.trees.Entries(ctx, l.Content); err != nil {
			return nil, err
		}
	}
	return merge.Shadows(entries), nil
}

func unzippedSize(layers []lambda.LayerRef) int64 {
	var n int64
	for _, l := range layers {
		n += l.UnzippedSize
	}
	return n
}

// checkTotal refuses code and layers that are too large together.
func (s *Service) checkTotal(r lambda.Revision) error {
	if n := r.Code.UnzippedSize + unzippedSize(r.Layers); n > s.limits.UnzippedSize {
		return lambda.Errorf(lambda.Invalid, "Function code combined with layers exceeds the maximum allowed size of %d bytes. "+
			"The actual size is %d bytes.", s.limits.UnzippedSize, n)
	}
	return nil
}
