package lambda

import (
	"slices"
	"strings"
)

// Runtime is an identifier such as "python3.13".
type Runtime string

// Family is the runtime's language: "python", "nodejs", "java", "ruby", "dotnet", "go" or "provided".
func (r Runtime) Family() string {
	return strings.TrimRight(strings.SplitN(string(r), ".", 2)[0], "0123456789")
}

// Provided reports whether the function brings its own bootstrap.
func (r Runtime) Provided() bool { return r.Family() == "provided" }

// Version is what follows the family: "3.13", "22.x", "al2023".
func (r Runtime) Version() string {
	return strings.TrimPrefix(strings.TrimPrefix(string(r), r.Family()), ".")
}

// Runtimes is the list that AWS prints, in its order, when CreateFunction or PublishLayerVersion gets an unknown runtime.
var Runtimes = []Runtime{"nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x", "nodejs22.x",
	"java25", "python3.10", "python3.11", "java21", "ruby3.3", "ruby3.4", "ruby3.2", "python3.8", "python3.9", "java17",
	"nodejs16.x", "dotnet10", "dotnet8", "java11", "dotnet6", "nodejs18.x", "provided.al2", "java8.al2"}

// FilterRuntimes is the list that AWS prints, in its order, when a list operation gets an unknown CompatibleRuntime.
var FilterRuntimes = []Runtime{"ruby3.5", "ruby2.6", "dotnetcore1.0", "python3.7", "nodejs8.10", "nasa", "ruby2.7",
	"python2.7-greengrass", "dotnetcore2.0", "python3.8", "java21", "dotnet6", "dotnetcore2.1", "python3.9", "java11",
	"nodejs6.10", "provided", "dotnetcore3.1", "dotnet8", "java25", "java17", "nodejs", "nodejs4.3", "java8.al2", "go1.x",
	"dotnet10", "nodejs20.x", "go1.9", "byol", "nodejs10.x", "provided.al2023", "nodejs22.x", "python3.10", "java8",
	"nodejs12.x", "python3.11", "nodejs24.x", "nodejs8.x", "python3.12", "nodejs14.x", "nodejs8.9", "nodejs26.x",
	"python3.13", "python3.14", "nodejs16.x", "python3.15", "provided.al2", "nodejs4.3-edge", "nodejs18.x", "ruby3.2",
	"python3.4", "ruby3.3", "ruby3.4", "ruby2.5", "python3.6", "python2.7"}

// DeprecatedRuntimes are accepted for layers and refused for new functions.
var DeprecatedRuntimes = []Runtime{"java8", "go1.x", "provided", "ruby2.7", "nodejs12.x", "nodejs14.x", "python3.7", "dotnetcore3.1",
	"nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "python2.7", "python3.6", "dotnetcore1.0",
	"dotnetcore2.0", "dotnetcore2.1", "ruby2.5"}

// Known reports whether a layer version may name the runtime: the union of the lists that AWS prints.
func (r Runtime) Known() bool {
	return slices.Contains(Runtimes, r) || slices.Contains(FilterRuntimes, r)
}

// Architectures are the two that AWS has, in the order in which it prints them.
var Architectures = []string{"x86_64", "arm64"}
