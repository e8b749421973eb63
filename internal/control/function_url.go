package control

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"reflect"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Function URLs are records: they have the shape of AWS's, and calling one is not built.

// Cors says which pages of browsers may call a function's URL. Members that were not sent are nil, and
// lists that were sent empty are empty.
type Cors struct {
	AllowCredentials *bool    `json:",omitzero"`
	AllowHeaders     []string `json:",omitzero"`
	AllowMethods     []string `json:",omitzero"`
	AllowOrigins     []string `json:",omitzero"`
	ExposeHeaders    []string `json:",omitzero"`
	MaxAge           *int     `json:",omitzero"` // seconds
}

// FunctionURL is what can be set of a function's URL.
type FunctionURL struct {
	AuthType   string
	InvokeMode string
	Cors       *Cors `json:",omitempty"` // nil when browsers' pages are not let in
}

// FunctionURLConfig is the URL of a function or of one of its aliases.
type FunctionURLConfig struct {
	FunctionURL
	URL         string
	FunctionARN string // with the alias, if it is one's
	Created     time.Time
	Modified    time.Time
}

// functionURLRecord is what the catalog keeps.
type functionURLRecord struct {
	FunctionURL
	ID      string // first label of the URL's host
	Created time.Time
}

// DefaultInvokeMode is that of a URL of which nobody has said another.
const DefaultInvokeMode = "BUFFERED"

const noFunctionForURL = "Function does not exist"

// CreateFunctionURLConfig gives a function or an alias a URL.
func (s *Service) CreateFunctionURLConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, in FunctionURL) (FunctionURLConfig, error) {
	if err := s.checkURLOwner(ctx, caller, ref); err != nil {
		return FunctionURLConfig{}, err
	}
	if in.InvokeMode == "" {
		in.InvokeMode = DefaultInvokeMode
	}
	now := s.now()
	return s.changeURL(ctx, now, ref, func(old *functionURLRecord) (*functionURLRecord, error) {
		if old != nil {
			return nil, lambda.Errorf(lambda.Conflict, "Failed to create function url config for [functionArn = %s]. "+
				"Error message:  FunctionUrlConfig exists for this Lambda function", ref.QualifiedARN(ref.Qualifier))
		}
		return &functionURLRecord{FunctionURL: in.withCors(in.Cors), ID: newURLID(), Created: now}, nil
	})
}

// FunctionURLUpdate changes a function's URL; a nil member stays as it is.
type FunctionURLUpdate struct {
	AuthType   *string
	InvokeMode *string
	Cors       *Cors // an empty one takes the setting away
}

// UpdateFunctionURLConfig changes what is set of a URL.
func (s *Service) UpdateFunctionURLConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, in FunctionURLUpdate) (FunctionURLConfig, error) {
	if err := s.checkURLOwner(ctx, caller, ref); err != nil {
		return FunctionURLConfig{}, err
	}
	return s.changeURL(ctx, s.now(), ref, func(old *functionURLRecord) (*functionURLRecord, error) {
		if old == nil {
			return nil, lambda.Errorf(lambda.NotFound, noSuchResource)
		}
		set(&old.AuthType, in.AuthType)
		set(&old.InvokeMode, in.InvokeMode)
		if in.Cors != nil {
			old.FunctionURL = old.withCors(in.Cors)
		}
		return old, nil
	})
}

// withCors sets what pages may do; a setting without members is none.
func (u FunctionURL) withCors(c *Cors) FunctionURL {
	if u.Cors = c; c != nil && reflect.DeepEqual(*c, Cors{}) {
		u.Cors = nil
	}
	return u
}

// GetFunctionURLConfig gives the URL of a function or an alias.
func (s *Service) GetFunctionURLConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (FunctionURLConfig, error) {
	if err := reachURL(caller, ref); err != nil {
		return FunctionURLConfig{}, err
	}
	r, modified, err := readRecord[functionURLRecord](ctx, s, ref, catalog.RecordURL)
	return urlConfig(ref, r, modified), kindText(err, lambda.NotFound, noSuchResource)
}

// DeleteFunctionURLConfig takes a URL away; those of other aliases stay.
func (s *Service) DeleteFunctionURLConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if err := reachURL(caller, ref); err != nil {
		return err
	}
	_, err := changeRecord(ctx, s, ref, catalog.RecordURL, func(old *functionURLRecord) (*functionURLRecord, error) {
		if old == nil {
			return nil, lambda.Errorf(lambda.NotFound, noSuchResource)
		}
		return nil, nil
	})
	return kindText(err, lambda.NotFound, noSuchResource)
}

// FunctionURLPage is a page of URLs by qualifier. NextMarker is "" on the last page.
type FunctionURLPage struct {
	Configs    []FunctionURLConfig
	NextMarker string
}

// ListFunctionURLConfigs gives the URLs of a function with all of its aliases.
func (s *Service) ListFunctionURLConfigs(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, marker string, limit int) (FunctionURLPage, error) {
	if err := Reach(caller, ref); err != nil {
		return FunctionURLPage{}, err
	}
	if _, err := s.catalog.GetFunction(ctx, ref.FunctionKey); err != nil {
		return FunctionURLPage{}, kindText(err, lambda.NotFound, noFunctionForURL)
	}
	list, next, err := pageOfRecords(ctx, s, ref.FunctionKey, catalog.RecordURL, marker, limit)
	page := FunctionURLPage{NextMarker: next}
	for _, r := range list {
		v, err := decode[functionURLRecord](r.Document)
		if err != nil {
			return FunctionURLPage{}, err
		}
		page.Configs = append(page.Configs, urlConfig(recordOwner(r), v, r.Modified))
	}
	return page, err
}

// reachURL refuses what is not here, and what can have no URL: versions, of which AWS speaks as of a qualifier that breaks
// its pattern.
func reachURL(caller lambda.Scope, ref lambda.FunctionRef) error {
	if err := Reach(caller, ref); err != nil {
		return err
	}
	if _, number := ref.Qualifier.Number(); number || strings.HasPrefix(string(ref.Qualifier), "$") {
		return lambda.Errorf(lambda.Constraint, "1 validation error detected: Value '%s' at 'qualifier' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: %s", ref.Qualifier, lambda.URLQualifierPattern)
	}
	return nil
}

func (s *Service) checkURLOwner(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if err := reachURL(caller, ref); err != nil {
		return err
	}
	_, err := s.describe(ctx, caller, ref)
	return kindText(err, lambda.NotFound, noFunctionForURL)
}

func (s *Service) changeURL(ctx context.Context, now time.Time, ref lambda.FunctionRef, change func(*functionURLRecord) (*functionURLRecord, error)) (FunctionURLConfig, error) {
	var r functionURLRecord
	modified, err := changeRecordAt(ctx, s, now, ref, catalog.RecordURL, func(old *functionURLRecord) (*functionURLRecord, error) {
		v, err := change(old)
		if v != nil {
			r = *v
		}
		return v, err
	})
	return urlConfig(ref, r, modified), err
}

func urlConfig(ref lambda.FunctionRef, r functionURLRecord, modified time.Time) FunctionURLConfig {
	return FunctionURLConfig{FunctionURL: r.FunctionURL, Created: r.Created, Modified: modified,
		URL: "https://" + r.ID + ".lambda-url." + ref.Region + ".on.aws/", FunctionARN: ref.QualifiedARN(ref.Qualifier)}
}

// newURLID gives 32 characters that nobody can guess.
func newURLID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
