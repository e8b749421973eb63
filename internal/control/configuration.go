package control

import (
	"cmp"

	"github.com/laminadev/lamina/internal/lambda"
)

// withDefaults fills what CreateFunction was not told.
func withDefaults(c lambda.Configuration, name lambda.FunctionName) lambda.Configuration {
	c.MemorySize = cmp.Or(c.MemorySize, lambda.DefaultMemorySize)
	c.Timeout = cmp.Or(c.Timeout, lambda.DefaultTimeout)
	c.StorageSize = cmp.Or(c.StorageSize, lambda.DefaultStorageSize)
	c.PackageType = cmp.Or(c.PackageType, "Zip")
	c.TracingMode = cmp.Or(c.TracingMode, "PassThrough")
	c.SnapStart = cmp.Or(c.SnapStart, "None")
	if c.VPC != nil && len(c.VPC.SubnetIDs) == 0 { // asked for nothing
		c.VPC = nil
	}
	if len(c.Architectures) == 0 {
		c.Architectures = []string{lambda.Architectures[0]}
	}
	c.Logging = mergeLogging(lambda.LoggingConfig{LogFormat: "Text", LogGroup: "/aws/lambda/" + string(name)}, c.Logging)
	return c
}

// checkLogging refuses levels where the format has none.
func checkLogging(have, sent lambda.LoggingConfig) error {
	if format := cmp.Or(sent.LogFormat, have.LogFormat, "Text"); format != "Text" || sent.ApplicationLogLevel+sent.SystemLogLevel == "" {
		return nil
	}
	return lambda.Errorf(lambda.Invalid, `LogLevel is not supported when LogFormat is set to "Text". `+
		`Remove LogLevel from your request or change the LogFormat to "Json" and try again.`)
}

// mergeLogging lays the members that were sent over those that were there. Levels belong to the format JSON: it brings INFO
// when nothing else was said, and Text drops them.
func mergeLogging(have, sent lambda.LoggingConfig) lambda.LoggingConfig {
	merged := lambda.LoggingConfig{
		LogFormat: cmp.Or(sent.LogFormat, have.LogFormat),
		LogGroup:  cmp.Or(sent.LogGroup, have.LogGroup),
	}
	if merged.LogFormat == "JSON" {
		merged.ApplicationLogLevel = cmp.Or(sent.ApplicationLogLevel, have.ApplicationLogLevel, "INFO")
		merged.SystemLogLevel = cmp.Or(sent.SystemLogLevel, have.SystemLogLevel, "INFO")
	}
	return merged
}
