package lambda

import (
	"time"

	"github.com/laminadev/lamina/internal/digest"
)

// Content is what is known of a stored zip, of a layer version or of a deployment package.
type Content struct {
	Digest        digest.Digest // of the zip's bytes; CodeSha256
	Size          int64         // bytes of the zip; CodeSize
	UnzippedSize  int64         // bytes of its files
	ContentDigest digest.Digest // what it holds, without times
	TreeKey       digest.Digest // the same with times: the store's key
}

// Configuration is what the caller decides about a function. It is stored as JSON, so a member may be added and none may
// change its meaning.
type Configuration struct {
	Runtime       Runtime
	Handler       string
	Role          string
	Description   string
	MemorySize    int // MB
	Timeout       int // seconds
	StorageSize   int // MB of /tmp
	PackageType   string
	Architectures []string
	Environment   *Variables    `json:",omitempty"` // nil when none was ever sent
	TracingMode   string        // "PassThrough" or "Active"
	SnapStart     string        // "None" or "PublishedVersions"
	Logging       LoggingConfig // group and format
	KMSKeyARN     string        `json:",omitempty"`
	DeadLetterARN string        `json:",omitempty"`

	VPC         *VPCConfig         `json:",omitempty"` // nil when none was ever sent
	FileSystems []FileSystemConfig `json:",omitempty"`
}

// VPCConfig is where a function's network interfaces are; without subnets it has none.
type VPCConfig struct {
	SubnetIDs        []string
	SecurityGroupIDs []string
	DualStack        bool `json:",omitempty"` // IPv6 too
}

// FileSystemConfig is a file system that a function mounts.
type FileSystemConfig struct {
	ARN       string // of its access point
	MountPath string // "/mnt/…"
}

// Variables are the environment variables as they were sent; AWS echoes an empty map too.
type Variables struct {
	Map map[string]string
}

// LoggingConfig is where a function's output goes and how it looks.
type LoggingConfig struct {
	LogFormat           string // "Text" or "JSON"
	LogGroup            string
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
}

// LayerRef is a layer version as a revision pins it: the version may be deleted later, and the revision keeps working.
type LayerRef struct {
	ARN LayerVersionARN
	Content
}

// Revision is one immutable state of a function's $LATEST: configuration, code and layers. Every change writes a new one,
// publishing gives one a number, and an execution environment belongs to exactly one.
type Revision struct {
	Key          FunctionKey
	FunctionID   string // tells a function from an earlier one of the same name
	Number       int64  // 1, 2, 3 … within a function
	Config       Configuration
	Code         Content
	Layers       []LayerRef // in the order of the list: the last wins
	ShadowMap    []Shadow   // the paths of /opt that more than one layer brings
	LastModified time.Time
}

// Shadow says which layer wins a path of /opt that several bring, and which lose. Numbers are indexes of Revision.Layers.
type Shadow struct {
	Path   string
	Winner int
	Losers []int
}

// State is where a function is in AWS's state machine.
type State string

// The states of a function.
const (
	StatePending  State = "Pending"
	StateActive   State = "Active"
	StateInactive State = "Inactive"
	StateFailed   State = "Failed"
)

// UpdateStatus is where the last update of a function is.
type UpdateStatus string

// The statuses of an update; the empty one belongs to a function that was never Active.
const (
	UpdateInProgress UpdateStatus = "InProgress"
	UpdateSuccessful UpdateStatus = "Successful"
	UpdateFailed     UpdateStatus = "Failed"
)
