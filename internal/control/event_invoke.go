package control

import (
	"cmp"
	"context"
	"regexp"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// EventInvoke is how a function's asynchronous invocations are to be retried and where their outcome goes. Members that
// were not sent are nil.
type EventInvoke struct {
	MaxRetries *int    `json:",omitempty"`
	MaxAge     *int    `json:",omitempty"` // seconds
	OnSuccess  *string `json:",omitempty"` // ARN of a destination
	OnFailure  *string `json:",omitempty"`
}

// EventInvokeConfig is one that is recorded.
type EventInvokeConfig struct {
	EventInvoke
	FunctionARN string // with its qualifier
	Modified    time.Time
}

// PutEventInvokeConfig records a configuration in the place of the one before; with merge it is laid over that one.
func (s *Service) PutEventInvokeConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, in EventInvoke, merge bool) (EventInvokeConfig, error) {
	if err := Reach(caller, ref); err != nil {
		return EventInvokeConfig{}, err
	}
	if in == (EventInvoke{}) {
		return EventInvokeConfig{}, lambda.Errorf(lambda.Invalid, "You must specify at least one of error handling or destination setting.")
	}
	const noFunction = "The function doesn't exist."
	if _, err := s.describe(ctx, caller, ref); err != nil {
		return EventInvokeConfig{}, kindText(err, lambda.NotFound, noFunction)
	}
	if err := checkDestinations(in); err != nil {
		return EventInvokeConfig{}, err
	}
	for _, arn := range []*string{in.OnSuccess, in.OnFailure} {
		if err := s.checkDestination(ctx, caller, ref, arn); err != nil {
			return EventInvokeConfig{}, err
		}
	}
	ref = unlatest(ref)
	var kept EventInvoke
	modified, err := changeRecord(ctx, s, ref, catalog.RecordEventInvoke, func(old *EventInvoke) (*EventInvoke, error) {
		next := in
		if merge && old == nil {
			return nil, lambda.Errorf(lambda.NotFound, "%s", noEventInvoke(ref))
		}
		if merge {
			next = EventInvoke{cmp.Or(in.MaxRetries, old.MaxRetries), cmp.Or(in.MaxAge, old.MaxAge),
				cmp.Or(in.OnSuccess, old.OnSuccess), cmp.Or(in.OnFailure, old.OnFailure)}
		}
		next.OnSuccess, next.OnFailure = named(next.OnSuccess), named(next.OnFailure)
		kept = next
		return &next, nil
	})
	return EventInvokeConfig{kept, namedARN(ref), modified}, err
}

// named gives a destination, nil when an empty one was sent: it takes away what was there.
func named(arn *string) *string {
	if arn != nil && *arn == "" {
		return nil
	}
	return arn
}

var (
	lambdaARN  = regexp.MustCompile(`^arn:[^:]+:lambda:`)
	successARN = regexp.MustCompile(`^(arn:[^:]+:(lambda|sqs|sns|events):.*)?$`)
	failureARN = regexp.MustCompile(`^(arn:[^:]+:(lambda|sqs|sns|events|s3):.*)?$`)
)

// checkDestinations refuses services that take no outcomes; S3 takes failures alone.
func checkDestinations(in EventInvoke) error {
	success, failure := "null", "null"
	fit := true
	if in.OnSuccess != nil {
		success, fit = "OnSuccess(destination="+*in.OnSuccess+")", successARN.MatchString(*in.OnSuccess)
	}
	if in.OnFailure != nil {
		failure, fit = "OnFailure(destination="+*in.OnFailure+")", fit && failureARN.MatchString(*in.OnFailure)
	}
	if fit {
		return nil
	}
	return lambda.Errorf(lambda.Invalid, "The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is invalid.", success, failure)
}

// checkDestination refuses the function itself and functions that are not there. Whether a queue or topic is there is not
// looked up.
func (s *Service) checkDestination(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, arn *string) error {
	if arn == nil || !lambdaARN.MatchString(*arn) {
		return nil
	}
	to, err := lambda.ParseFunctionRef(*arn, caller)
	if err == nil && to.FunctionKey == ref.FunctionKey {
		return lambda.Errorf(lambda.Invalid, "You can't specify the function as a destination for itself.")
	}
	if err == nil {
		_, err = s.describe(ctx, caller, to)
	}
	if err == nil {
		return nil
	}
	if lambda.KindOf(err) == lambda.Internal {
		return err
	}
	return lambda.Errorf(lambda.Invalid, "The destination ARN %s is invalid.", *arn)
}

func noEventInvoke(ref lambda.FunctionRef) string {
	return "The function " + namedARN(ref) + " doesn't have an EventInvokeConfig"
}

// GetEventInvokeConfig gives the configuration of a function, version or alias.
func (s *Service) GetEventInvokeConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (EventInvokeConfig, error) {
	if err := Reach(caller, ref); err != nil {
		return EventInvokeConfig{}, err
	}
	ref = unlatest(ref)
	v, modified, err := readRecord[EventInvoke](ctx, s, ref, catalog.RecordEventInvoke)
	return EventInvokeConfig{v, namedARN(ref), modified}, kindText(err, lambda.NotFound, noEventInvoke(ref))
}

// DeleteEventInvokeConfig forgets a configuration.
func (s *Service) DeleteEventInvokeConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if err := Reach(caller, ref); err != nil {
		return err
	}
	ref = unlatest(ref)
	_, err := changeRecord(ctx, s, ref, catalog.RecordEventInvoke, func(old *EventInvoke) (*EventInvoke, error) {
		if old == nil {
			return nil, lambda.Errorf(lambda.NotFound, "%s", noEventInvoke(ref))
		}
		return nil, nil
	})
	return kindText(err, lambda.NotFound, noEventInvoke(ref))
}

// EventInvokePage is a page of configurations by qualifier. NextMarker is "" on the last page.
type EventInvokePage struct {
	Configs    []EventInvokeConfig
	NextMarker string
}

// ListEventInvokeConfigs gives those of a function with all of its versions and aliases.
func (s *Service) ListEventInvokeConfigs(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, marker string, limit int) (EventInvokePage, error) {
	if err := Reach(caller, ref); err != nil {
		return EventInvokePage{}, err
	}
	if _, err := s.find(ctx, caller, ref); err != nil {
		return EventInvokePage{}, kindText(err, lambda.NotFound, "The function doesn't exist.")
	}
	list, next, err := pageOfRecords(ctx, s, ref.FunctionKey, catalog.RecordEventInvoke, marker, limit)
	if err != nil {
		return EventInvokePage{}, err
	}
	page := EventInvokePage{NextMarker: next}
	for _, r := range list {
		v, err := decode[EventInvoke](r.Document)
		if err != nil {
			return EventInvokePage{}, err
		}
		page.Configs = append(page.Configs, EventInvokeConfig{v, namedARN(recordOwner(r)), r.Modified})
	}
	return page, nil
}
