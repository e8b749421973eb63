// Package lambda is lamina's vocabulary: AWS Lambda's nouns, names, ARNs, quotas and kinds of error.
//
// Values are parsed once, at the door; inside, a FunctionName or a LayerVersionARN is valid. Nothing here does I/O, and
// every other package may import it.
package lambda

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Scope is where a resource lives. The same name in two scopes is two resources.
type Scope struct {
	Partition string // "aws", see PartitionOf
	Account   string // 12 digits
	Region    string // "us-east-1"
}

func (s Scope) String() string { return s.Partition + "/" + s.Account + "/" + s.Region }

func (s Scope) arn(resource string) string {
	return fmt.Sprintf("arn:%s:lambda:%s:%s:%s", s.Partition, s.Region, s.Account, resource)
}

// FunctionKey names one function of one account and region.
type FunctionKey struct {
	Scope
	Name FunctionName
}

// ARN is the unqualified function ARN.
func (k FunctionKey) ARN() string { return k.arn("function:" + string(k.Name)) }

// QualifiedARN is the ARN with a version or alias at its end; an empty qualifier gives the unqualified one.
func (k FunctionKey) QualifiedARN(q Qualifier) string {
	if q == "" {
		return k.ARN()
	}
	return k.ARN() + ":" + string(q)
}

// LayerKey names one layer of one account and region.
type LayerKey struct {
	Scope
	Name LayerName
}

// ARN is the layer's ARN, without a version.
func (k LayerKey) ARN() string { return k.arn("layer:" + string(k.Name)) }

// LayerVersionARN names one immutable layer version.
type LayerVersionARN struct {
	LayerKey
	Version int64
}

func (a LayerVersionARN) String() string { return fmt.Sprintf("%s:%d", a.ARN(), a.Version) }

// MarshalText writes the ARN.
func (a LayerVersionARN) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an ARN.
func (a *LayerVersionARN) UnmarshalText(b []byte) error {
	v, err := ParseLayerVersionARN(string(b))
	if err == nil {
		*a = v
	}
	return err
}

type (
	// FunctionName is the bare name, 1 to 64 characters.
	FunctionName string
	// LayerName is the bare name, 1 to 140 characters.
	LayerName string
	// Qualifier is a version number, an alias name, or VersionLatest.
	Qualifier string
	// RevisionID is the UUID that changes with every mutation of a record: AWS's optimistic lock.
	RevisionID string
)

// VersionLatest is the qualifier of the changeable version.
const VersionLatest Qualifier = "$LATEST"

// VersionNumber is the qualifier of a published version; 0 is $LATEST.
func VersionNumber(n int64) Qualifier {
	if n == 0 {
		return VersionLatest
	}
	return Qualifier(strconv.FormatInt(n, 10))
}

// Number gives the version that a qualifier of digits names. All others are aliases, or $LATEST.
func (q Qualifier) Number() (n int64, ok bool) {
	if q == "" || strings.Trim(string(q), "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(string(q), 10, 64)
	if err != nil {
		n = math.MaxInt64 // of a version that nobody has published
	}
	return n, true
}
