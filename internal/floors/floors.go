// Package floors is the house of the project as data: which packages there are, on which floor each stands, and which
// packages it may import. Its test walks the source tree and compares.
//
// A package imports only from floors below its own, and of those only the packages listed beside it; packages of the ground
// may be imported from anywhere. So reading can begin on any floor without looking up, and a part can be taken out with what
// is below it. A new package gets a row here: a noun (under layer/, a verb), what it gives, and a floor.
package floors

// Room is one package.
type Room struct {
	Path    string   // within the module; internal/ is left out, so "layer/merge" is internal/layer/merge
	Floor   int      // imports go to lower floors only
	Imports []string // Paths that it may import; "layer/*" stands for every package below layer/, "*" for every lower floor
	Ground  bool     // may be imported from anywhere
	Level   bool     // may also be imported by packages of its own floor
	Tests   bool     // serves tests only: may import testing, and nothing that ships may import it
	Gives   string   // the reason that it exists
}

// House is every room, top floor first: those that are built and those that have their place reserved.
func House() []Room {
	return []Room{
		{Path: "cmd/lamina", Floor: 11, Imports: []string{"cli", "sandbox/helper"}, Gives: "main only: signals, exit code; named lamina-init it is the sandbox's PID 1"},
		{Path: "cmd/lamina-init", Floor: 11, Imports: []string{"sandbox/helper"}, Gives: "the sandbox's PID 1 as a program of its own: tiny, static"},

		{Path: "cli", Floor: 10, Imports: []string{"daemon", "client", "config", "project", "layer", "layer/*"}, Gives: "one command a file; text and JSON output"},
		{Path: "daemon", Floor: 9, Imports: []string{"*"}, Gives: "builds the parts in order, starts, stops them: the only wiring place"},

		{Path: "api", Floor: 8, Imports: append([]string{"api/lambdaapi", "api/laminaapi", "api/s3api", "api/stsapi"}, doors...), Level: true, Gives: "the front door: service dispatch, origin check, auth, errors"},
		{Path: "api/lambdaapi", Floor: 8, Imports: doors, Level: true, Gives: "AWS Lambda's operations"},
		{Path: "api/laminaapi", Floor: 8, Imports: doors, Level: true, Gives: "what AWS lacks, under /lamina/v1"},
		{Path: "api/s3api", Floor: 8, Imports: doors, Level: true, Gives: "S3's buckets and objects"},
		{Path: "api/stsapi", Floor: 8, Imports: doors, Level: true, Gives: "who is calling"},
		{Path: "api/wire", Floor: 8, Level: true, Gives: "what the front door hands to the APIs behind it"},
		{Path: "api/jsonstream", Floor: 8, Level: true, Gives: "JSON read as a stream, so that a zip inside never is in memory"},
		{Path: "api/gen", Floor: 8, Gives: "the generator of lambdaapi's tables, a program"},
		{Path: "api/apitest", Floor: 9, Tests: true, Gives: "a real control plane and stand-ins for what runs functions, for tests of the front door"},
		{Path: "console", Floor: 8, Imports: []string{"auth"}, Gives: "serves the embedded console"},

		{Path: "rollout", Floor: 7, Imports: []string{"control", "invoke", "usage", "jobs"}, Gives: "moves alias weights and layer versions in stages"},
		{Path: "updates", Floor: 7, Imports: []string{"control", "invoke", "registry", "layer", "layer/*", "jobs"}, Gives: "resolve, rebuild, scan, test, publish"},
		{Path: "stacks", Floor: 7, Imports: []string{"control", "identity", "objects"}, Gives: "templates to resources and back"},
		{Path: "events", Floor: 7, Imports: []string{"invoke", "catalog", "jobs"}, Gives: "rules, schedules, event source mappings"},

		{Path: "invoke", Floor: 6, Imports: []string{"execenv", "catalog", "jobs", "telemetry"}, Gives: "version choice, concurrency, sync and async, retries"},

		{Path: "control", Floor: 5, Imports: []string{"catalog", "layerstore", "layer", "layer/*", "archive", "blob", "registry", "identity", "objects", "auth", "jobs"}, Gives: "management: functions, layer versions; one file per resource"},
		{Path: "execenv", Floor: 5, Imports: []string{"runtimes", "runtimeapi", "sandbox", "layerstore", "layer", "layer/explain", "logstream", "telemetry", "auth"}, Gives: "execution environments: Init, Invoke, Shutdown, the warm pool"},

		{Path: "runtimes", Floor: 4, Imports: []string{"runtimes/python", "runtimes/node", "runtimes/interpreter", "runtimes/ldcache", "layerstore", "sandbox", "sandbox/initproto"}, Gives: "managed runtimes and our bootstraps; answers with the mounts of a sandbox"},
		{Path: "runtimes/python", Floor: 4, Imports: []string{"sandbox", "runtimes/interpreter"}, Level: true, Gives: "the host's python interpreters, shown as AWS shows its own"},
		{Path: "runtimes/node", Floor: 4, Imports: []string{"sandbox", "runtimes/interpreter"}, Level: true, Gives: "node interpreters, the host's and those of packages, shown as AWS shows its own"},
		{Path: "runtimes/interpreter", Floor: 3, Gives: "what finding interpreters of any language takes: files asked once, and whether a sandbox can run them"},
		{Path: "runtimes/ldcache", Floor: 4, Level: true, Gives: "the dynamic loader's cache, read and written"},
		{Path: "registry", Floor: 4, Imports: knowing, Gives: "what is known of a layer"},
		{Path: "usage", Floor: 4, Imports: knowing, Gives: "who uses a layer"},
		{Path: "identity", Floor: 4, Imports: knowing, Gives: "accounts and policies"},
		{Path: "objects", Floor: 4, Imports: knowing, Gives: "S3 buckets"},

		{Path: "layerstore", Floor: 3, Imports: []string{"layer", "archive", "blob"}, Gives: "layers by digest: zip and unpacked tree; archive beside layer, since it unpacks in one pass"},
		{Path: "layer/merge", Floor: 3, Imports: toolkit, Level: true, Gives: "which layer wins each path of /opt"},
		{Path: "layer/build", Floor: 3, Imports: toolkit, Gives: "layers from requirements"},
		{Path: "layer/lint", Floor: 3, Imports: toolkit, Gives: "what is wrong with a layer"},
		{Path: "layer/explain", Floor: 3, Imports: toolkit, Gives: "why a module is not found, by what code and layers hold"},
		{Path: "layer/scan", Floor: 3, Imports: toolkit, Gives: "what a layer holds that others warn of"},
		{Path: "layer/slim", Floor: 3, Imports: toolkit, Gives: "smaller layers"},
		{Path: "layer/diff", Floor: 3, Imports: toolkit, Gives: "how two layers differ"},
		{Path: "runtimeapi", Floor: 3, Imports: []string{"telemetry", "logstream"}, Gives: "the Runtime API of one environment"},

		{Path: "layer", Floor: 2, Imports: []string{"archive"}, Gives: "the hero: an immutable view of one layer"},
		{Path: "logstream", Floor: 2, Imports: []string{"telemetry", "blob"}, Gives: "function output: groups, streams, segments, tail"},
		{Path: "sandbox/linuxsandbox", Floor: 2, Imports: []string{"sandbox", "sandbox/helper", "sandbox/initproto", "overlay", "egress"}, Gives: "namespaces, cgroups, mounts"},
		{Path: "sandbox/helper", Floor: 2, Imports: []string{"sandbox", "sandbox/initproto", "overlay"}, Level: true, Gives: "the sandbox's PID 1, as a package, so that two programs can be it"},
		{Path: "catalog/sqlcatalog", Floor: 2, Imports: []string{"catalog", "database"}, Gives: "SQLite and PostgreSQL; migrations embedded"},
		{Path: "catalog/cached", Floor: 2, Imports: []string{"catalog"}, Gives: "functions from memory: the invoke path never reads the database"},
		{Path: "jobs/sqljobs", Floor: 2, Imports: []string{"jobs", "database"}, Gives: "jobs in SQLite and PostgreSQL"},
		{Path: "blob/diskblob", Floor: 2, Imports: []string{"blob"}, Gives: "blobs in a folder"},
		{Path: "blob/s3blob", Floor: 2, Imports: []string{"blob"}, Gives: "blobs in S3"},

		{Path: "sandbox", Floor: 1, Imports: []string{"sandbox/initproto"}, Gives: "contract: start a process tree with limits"},
		{Path: "catalog", Floor: 1, Gives: "contract: records of functions, versions, layers"},
		{Path: "jobs", Floor: 1, Gives: "contract: durable asynchronous work, leases"},
		{Path: "blob", Floor: 1, Gives: "bytes by digest; a concrete Store over a driver"},
		{Path: "telemetry", Floor: 1, Gives: "AWS's platform events and one bus for them"},
		{Path: "auth", Floor: 1, Gives: "SigV4, sessions, policy evaluation"},
		{Path: "egress", Floor: 1, Gives: "the way out of sandboxes: what they may call, and TCP, UDP and names carried there"},
		{Path: "archive", Floor: 1, Gives: "zip in, safe entries out; reproducible zip out"},
		{Path: "objfile", Floor: 1, Gives: "what an ELF, Mach-O or PE file needs"},
		{Path: "database", Floor: 1, Gives: "open, transaction, dialect, migrate"},
		{Path: "overlay", Floor: 1, Gives: "one overlayfs mount from ordered lower folders"},
		{Path: "project", Floor: 1, Gives: "what a folder says about how to run its function: a SAM template, conventions"},
		{Path: "config", Floor: 1, Gives: "the server's settings: load, default, validate"},
		{Path: "client", Floor: 1, Gives: "Go client for what AWS's SDK does not cover; outside internal/, so that others may use it"},

		{Path: "sandbox/initproto", Floor: 0, Gives: "the words between server and PID 1"},
		{Path: "metrics", Floor: 0, Ground: true, Gives: "our own counters and traces"},
		{Path: "digest", Floor: 0, Ground: true, Level: true, Gives: "SHA-256 value, hex and AWS base64, verifying reader"},
		{Path: "lambda", Floor: 0, Imports: []string{"digest"}, Ground: true, Gives: "vocabulary: nouns, ARNs, rules, quotas, Error"},
		{Path: "failpoint", Floor: 0, Ground: true, Level: true, Gives: "changes of the disk, each a named point at which a test can make it fail or stop"},
		{Path: "floors", Floor: 0, Gives: "this table"},

		{Path: "lambdatest", Floor: 3, Imports: []string{"layer", "archive"}, Tests: true, Gives: "sample functions, layers, zips"},
		{Path: "failpoint/failpointtest", Floor: 1, Tests: true, Gives: "the points that the source has, calls that go past them, and processes that are killed at one"},
		{Path: "catalog/catalogtest", Floor: 2, Imports: []string{"catalog"}, Tests: true, Gives: "what every catalog driver must pass"},
		{Path: "database/pgtest", Floor: 2, Imports: []string{"database"}, Tests: true, Gives: "a PostgreSQL for tests"},
		{Path: "blob/blobtest", Floor: 2, Imports: []string{"blob"}, Tests: true, Gives: "what every blob driver must pass"},
		{Path: "blob/s3test", Floor: 2, Tests: true, Gives: "an S3 store for tests"},
		{Path: "jobs/jobstest", Floor: 2, Imports: []string{"jobs"}, Tests: true, Gives: "what every jobs driver must pass"},
		{Path: "runtimes/runtimetest", Floor: 3, Tests: true, Gives: "a Runtime API and a bootstrap's process that speaks to it, for tests of every language"},
		{Path: "sandbox/sandboxtest", Floor: 2, Imports: []string{"sandbox"}, Tests: true, Gives: "what every sandbox driver must pass"},
	}
}

var (
	// doors are what the front door's packages call.
	doors = []string{"control", "invoke", "rollout", "updates", "stacks", "registry", "usage", "identity", "objects", "events",
		"logstream", "auth", "catalog", "blob", "client", "api/wire", "api/jsonstream"}
	// knowing are what the packages that know something of layers stand on.
	knowing = []string{"catalog", "blob", "telemetry"}
	// toolkit are what the functions of layers stand on: never a server.
	toolkit = []string{"layer", "archive", "objfile"}
)
