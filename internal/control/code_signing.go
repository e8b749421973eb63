package control

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Code signing configurations are records, and code is never signed here: a function whose configuration enforces signatures
// gets no other code.

// CodeSigningARN names a code signing configuration.
func CodeSigningARN(c catalog.CodeSigningConfig) string { return codeSigningARN(c.Scope, c.ID) }

func codeSigningARN(s lambda.Scope, id string) string {
	return "arn:" + s.Partition + ":lambda:" + s.Region + ":" + s.Account + ":code-signing-config:" + id
}

var codeSigningConfig = regexp.MustCompile(`^arn:([a-z-]+):lambda:([a-z0-9-]+):(\d{12}):code-signing-config:(csc-[a-z0-9]{17})$`)

// codeSigningID gives the ID in an ARN of the caller's account and region, "" when it is none.
func codeSigningID(caller lambda.Scope, arn string) string {
	m := codeSigningConfig.FindStringSubmatch(arn)
	if m == nil || (lambda.Scope{Partition: m[1], Region: m[2], Account: m[3]}) != caller {
		return ""
	}
	return m[4]
}

func codeSigningMissing(arn string) error {
	return lambda.Errorf(lambda.NotFound, "The Lambda code signing configuration %s can not be found.", arn).WithoutType()
}

// missingCodeSigning gives an error of the catalog about a configuration AWS's text.
func missingCodeSigning(err error, arn string) error {
	if lambda.IsKind(err, lambda.NotFound) {
		return codeSigningMissing(arn)
	}
	return err
}

// NewCodeSigning is what a code signing configuration is made of.
type NewCodeSigning struct {
	Description *string // nil when not sent
	Publishers  []string
	Policy      string // "" is Warn
	Tags        map[string]string
}

// CreateCodeSigningConfig makes a configuration.
func (s *Service) CreateCodeSigningConfig(ctx context.Context, caller lambda.Scope, in NewCodeSigning) (catalog.CodeSigningConfig, error) {
	if err := checkTags(in.Tags); err != nil {
		return catalog.CodeSigningConfig{}, err
	}
	var random [9]byte
	_, _ = rand.Read(random[:]) // never fails
	if in.Policy == "" {
		in.Policy = "Warn"
	}
	c := catalog.CodeSigningConfig{Scope: caller, ID: "csc-" + hex.EncodeToString(random[:])[:17], Description: in.Description,
		Publishers: in.Publishers, Policy: in.Policy, Tags: in.Tags, Modified: s.now()}
	return c, s.catalog.InsertCodeSigningConfig(ctx, c)
}

// GetCodeSigningConfig gives a configuration.
func (s *Service) GetCodeSigningConfig(ctx context.Context, caller lambda.Scope, arn string) (catalog.CodeSigningConfig, error) {
	id := codeSigningID(caller, arn)
	if id == "" {
		return catalog.CodeSigningConfig{}, codeSigningMissing(arn)
	}
	c, err := s.catalog.GetCodeSigningConfig(ctx, caller, id)
	return c, missingCodeSigning(err, arn)
}

// CodeSigningUpdate changes a configuration; a nil member stays as it is.
type CodeSigningUpdate struct {
	Description *string
	Publishers  []string
	Policy      *string
}

// UpdateCodeSigningConfig changes a configuration, for all functions that have it.
func (s *Service) UpdateCodeSigningConfig(ctx context.Context, caller lambda.Scope, arn string, in CodeSigningUpdate) (catalog.CodeSigningConfig, error) {
	if _, err := s.GetCodeSigningConfig(ctx, caller, arn); err != nil {
		return catalog.CodeSigningConfig{}, err
	}
	now := s.now()
	c, err := s.catalog.UpdateCodeSigningConfig(ctx, caller, codeSigningID(caller, arn), func(c *catalog.CodeSigningConfig) error {
		if in.Description != nil {
			c.Description = in.Description
		}
		if in.Publishers != nil {
			c.Publishers = in.Publishers
		}
		set(&c.Policy, in.Policy)
		c.Modified = now
		return nil
	})
	return c, missingCodeSigning(err, arn)
}

// DeleteCodeSigningConfig forgets a configuration that no function has.
func (s *Service) DeleteCodeSigningConfig(ctx context.Context, caller lambda.Scope, arn string) error {
	if _, err := s.GetCodeSigningConfig(ctx, caller, arn); err != nil {
		return err
	}
	err := s.catalog.DeleteCodeSigningConfig(ctx, caller, codeSigningID(caller, arn))
	return missingCodeSigning(kindText(err, lambda.Conflict, "Cannot delete the code signing configuration "+arn+" because functions use it."), arn)
}

// CodeSigningPage is a page of configurations by ID. NextMarker is "" on the last page.
type CodeSigningPage struct {
	Configs    []catalog.CodeSigningConfig
	NextMarker string
}

// ListCodeSigningConfigs gives the configurations of an account and region.
func (s *Service) ListCodeSigningConfigs(ctx context.Context, caller lambda.Scope, marker string, limit int) (CodeSigningPage, error) {
	after, err := readMarker(codeSigningList, marker)
	if err != nil {
		return CodeSigningPage{}, err
	}
	size := pageSize(limit)
	list, err := s.catalog.ListCodeSigningConfigs(ctx, caller, after, size+1)
	if err != nil {
		return CodeSigningPage{}, err
	}
	var page CodeSigningPage
	page.Configs, page.NextMarker = cut(list, size, func(c catalog.CodeSigningConfig) string { return newMarker(codeSigningList, c.ID) })
	return page, nil
}

// GetFunctionCodeSigningConfig gives the ARN of a function's configuration, "" when it has none.
func (s *Service) GetFunctionCodeSigningConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (string, error) {
	whole := lambda.FunctionRef{FunctionKey: ref.FunctionKey}
	if _, err := s.find(ctx, caller, whole); err != nil {
		return "", err
	}
	id, _, err := readRecord[string](ctx, s, whole, catalog.RecordCodeSigning)
	if lambda.IsKind(err, lambda.NotFound) {
		return "", nil
	}
	return codeSigningARN(caller, id), err
}

// PutFunctionCodeSigningConfig gives a function a configuration, which holds for the code that comes from now on. That there is
// none comes before any error about the function.
func (s *Service) PutFunctionCodeSigningConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, arn string) error {
	c, err := s.codeSigningOf(ctx, caller, arn)
	if err != nil {
		return err
	}
	return s.changeCodeSigning(ctx, caller, ref, &c.ID)
}

// codeSigningOf gives a configuration that a function is to get.
func (s *Service) codeSigningOf(ctx context.Context, caller lambda.Scope, arn string) (catalog.CodeSigningConfig, error) {
	c, err := s.GetCodeSigningConfig(ctx, caller, arn)
	if lambda.IsKind(err, lambda.NotFound) {
		return c, lambda.Errorf(lambda.NoCodeSigning,
			"The code signing configuration cannot be found. Check that the provided configuration is not deleted: %s.", arn).WithoutType()
	}
	return c, err
}

// signing gives the record of a new function's configuration, none when it has none.
func (s *Service) signing(ctx context.Context, in CreateFunctionInput) ([]catalog.Record, error) {
	if in.CodeSigningARN == "" {
		return nil, nil
	}
	c, err := s.codeSigningOf(ctx, in.Caller, in.CodeSigningARN)
	if err != nil {
		return nil, err
	}
	return []catalog.Record{{Kind: catalog.RecordCodeSigning, Document: policyText(c.ID), Modified: s.now()}}, unsigned(c, in.Ref.Name)
}

// unsigned refuses code where a configuration enforces signatures: what is sent here has none.
func unsigned(c catalog.CodeSigningConfig, name lambda.FunctionName) error {
	if c.Policy != "Enforce" {
		return nil
	}
	return lambda.Errorf(lambda.Untrusted, "Lambda cannot deploy the function. The function or layer might be signed using a signature "+
		"that the client is not configured to accept. Check the provided signature for %s.", name)
}

// DeleteFunctionCodeSigningConfig takes a function's configuration away; it may have none.
func (s *Service) DeleteFunctionCodeSigningConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	return s.changeCodeSigning(ctx, caller, ref, nil)
}

func (s *Service) changeCodeSigning(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, id *string) error {
	whole := lambda.FunctionRef{FunctionKey: ref.FunctionKey}
	if _, err := s.find(ctx, caller, whole); err != nil {
		return err
	}
	_, err := changeRecord(ctx, s, whole, catalog.RecordCodeSigning, func(*string) (*string, error) { return id, nil })
	return kindText(err, lambda.NotFound, functionNotFound(whole))
}

// SignedFunctionPage is a page of functions by name. NextMarker is "" on the last page.
type SignedFunctionPage struct {
	ARNs       []string
	NextMarker string
}

// ListFunctionsByCodeSigningConfig gives the functions that have a configuration.
func (s *Service) ListFunctionsByCodeSigningConfig(ctx context.Context, caller lambda.Scope, arn, marker string, limit int) (SignedFunctionPage, error) {
	c, err := s.GetCodeSigningConfig(ctx, caller, arn)
	if err != nil {
		return SignedFunctionPage{}, err
	}
	after, err := readMarker(signedFunctionList, marker)
	if err != nil {
		return SignedFunctionPage{}, err
	}
	records, err := s.catalog.RecordsOf(ctx, caller, catalog.RecordCodeSigning)
	if err != nil {
		return SignedFunctionPage{}, err
	}
	var keys []lambda.FunctionKey
	for _, r := range records {
		if string(r.Key.Name) > after && r.Document == policyText(c.ID) {
			keys = append(keys, r.Key)
		}
	}
	var page SignedFunctionPage
	keys, page.NextMarker = cut(keys, pageSize(limit), func(k lambda.FunctionKey) string { return newMarker(signedFunctionList, string(k.Name)) })
	for _, k := range keys {
		page.ARNs = append(page.ARNs, k.ARN())
	}
	return page, nil
}

// checkSigned refuses code for a function whose configuration enforces signatures.
func (s *Service) checkSigned(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	arn, err := s.GetFunctionCodeSigningConfig(ctx, caller, ref)
	if err != nil || arn == "" {
		return err
	}
	c, err := s.GetCodeSigningConfig(ctx, caller, arn)
	if err != nil {
		return unlessMissing(err)
	}
	return unsigned(c, ref.Name)
}
