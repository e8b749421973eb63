package lambda

// AWS's limits, in the units that its messages print.
const (
	MaxLayers            = 5
	MaxZipSize           = 52428800    // bytes of a zip sent inline: 50 MiB
	MaxUnzippedSize      = 262144000   // bytes of code and layers together
	MaxRequestSize       = 70167211    // bytes of a request with a zip inside
	MaxCodeStorage       = 80530636800 // bytes of all zips of an account: 75 GiB
	MaxEnvironmentSize   = 4096        // bytes of the variables as compact JSON
	MaxPayloadSize       = 6291456     // bytes of an event, RequestResponse
	MaxResponseSize      = 6291556     // bytes of a function's answer
	MaxLogTail           = 4096        // bytes of X-Amz-Log-Result before base64
	MaxFunctionName      = 64          // characters of the bare name
	MaxTags              = 50
	MaxPolicySize        = 20480 // bytes of a resource policy
	DefaultMemorySize    = 128   // MB
	DefaultTimeout       = 3     // seconds
	DefaultStorageSize   = 512   // MB of /tmp
	DefaultConcurrency   = 1000
	MaxProcesses         = 1024 // processes and threads of an environment
	MaxOpenFiles         = 1024
	InitTimeoutSeconds   = 10 // of an on-demand environment
	LocationValidSeconds = 600
	MaxPageSize          = 50 // items of one page of a list
)

// Limits are the quotas of AWS that a server may relax. They are in the units of AWS's messages.
type Limits struct {
	Layers          int   // of one function
	ZipSize         int64 // bytes of a zip sent inline
	UnzippedSize    int64 // bytes of code and layers together
	CodeStorage     int64 // bytes of all zips of an account
	EnvironmentSize int   // bytes of the variables as compact JSON
	RequestSize     int64 // bytes of a request with a zip inside
}

// AWSLimits are AWS's own.
func AWSLimits() Limits {
	return Limits{Layers: MaxLayers, ZipSize: MaxZipSize, UnzippedSize: MaxUnzippedSize, CodeStorage: MaxCodeStorage,
		EnvironmentSize: MaxEnvironmentSize, RequestSize: MaxRequestSize}
}

// RelaxedLimits are of a server whose functions need not fit into AWS: what still bounds them is the machine. An overlay takes
// far more folders than there are layers here, and a program's environment is what Linux passes to it for sure.
func RelaxedLimits() Limits {
	const zip = 1 << 30
	return Limits{Layers: 64, ZipSize: zip, UnzippedSize: 10 << 30, CodeStorage: 1 << 50, EnvironmentSize: 64 << 10,
		RequestSize: zip/3*4 + 1<<20}
}
