package lambdaapi

import (
	"maps"
	"slices"

	"github.com/laminadev/lamina/internal/api/jsonstream"
	"github.com/laminadev/lamina/internal/lambda"
)

// notBuilt says of members that ask for what lamina does not have yet whether they were sent.
type notBuilt map[string]bool

// names gives those that were sent, sorted.
func (n notBuilt) names() []string {
	maps.DeleteFunc(n, func(_ string, sent bool) bool { return !sent })
	return slices.Sorted(maps.Keys(n))
}

func createNotBuilt(in *CreateFunctionRequest) []string {
	return notBuilt{
		"ImageConfig":            in.ImageConfig != nil,
		"CapacityProviderConfig": in.CapacityProviderConfig != nil,
		"PublishTo":              in.PublishTo != nil,
		"DurableConfig":          in.DurableConfig != nil,
		"TenancyConfig":          in.TenancyConfig != nil,
		"Code.SourceKMSKeyArn":   deref(in.Code.SourceKMSKeyARN) != "",
	}.names()
}

func updateNotBuilt(in *UpdateFunctionConfigurationRequest) []string {
	return notBuilt{
		"ImageConfig":            in.ImageConfig != nil,
		"CapacityProviderConfig": in.CapacityProviderConfig != nil,
		"DurableConfig":          in.DurableConfig != nil,
	}.names()
}

// variables keeps the difference between no Environment and an empty one.
func variables(e *Environment) *lambda.Variables {
	if e == nil {
		return nil
	}
	if e.Variables == nil {
		return &lambda.Variables{Map: map[string]string{}}
	}
	return &lambda.Variables{Map: e.Variables}
}

// environmentJSON is the JSON of the variables in the order in which they were sent: AWS measures and prints it.
func (c *call) environmentJSON() string {
	e := c.body.Get("Environment")
	if e == nil {
		return ""
	}
	v := e.Get("Variables")
	if v == nil || v.Kind != jsonstream.Object {
		return ""
	}
	return string(v.AppendJSON(nil))
}

func logging(c *LoggingConfig) *lambda.LoggingConfig {
	if c == nil {
		return nil
	}
	return &lambda.LoggingConfig{
		LogFormat: deref(c.LogFormat), LogGroup: deref(c.LogGroup),
		ApplicationLogLevel: deref(c.ApplicationLogLevel), SystemLogLevel: deref(c.SystemLogLevel),
	}
}

// deadLetter gives the target of a configuration that was sent; one without a target takes the target away.
func deadLetter(c *DeadLetterConfig) *string {
	if c == nil {
		return nil
	}
	return new(deref(c.TargetARN))
}

func storageSize(s *EphemeralStorage) *int {
	if s == nil {
		return nil
	}
	return new(int(s.Size))
}

func integer(n *int64) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

func long(n *int) *int64 {
	if n == nil {
		return nil
	}
	return new(int64(*n))
}

// list keeps the difference between a list that was not sent and an empty one.
func list(l []string) *[]string {
	if l == nil {
		return nil
	}
	return &l
}
