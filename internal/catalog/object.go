package catalog

import (
	"context"
	"time"

	"github.com/laminadev/lamina/internal/digest"
)

// BucketKey names a bucket. Unlike other names, those of buckets are unique in a whole partition, as on AWS: no two accounts
// or regions have a bucket of the same name.
type BucketKey struct{ Partition, Name string }

// Bucket holds objects. It belongs to one account and lies in one region.
type Bucket struct {
	Key        BucketKey
	Account    string
	Region     string
	Versioning Versioning
	Tags       map[string]string
	Created    time.Time
}

// Versioning says whether a bucket keeps what is overwritten and deleted.
type Versioning string

// The states of versioning. A bucket never goes back to VersioningNever.
const (
	VersioningNever     Versioning = ""
	VersioningEnabled   Versioning = "Enabled"
	VersioningSuspended Versioning = "Suspended"
)

// NullVersion is the ID of what was written while its bucket gave no IDs. An object has one such version at most.
const NullVersion = "null"

// Object is one version of an object, or a delete marker.
type Object struct {
	Bucket    BucketKey
	Name      string // the object's key
	VersionID string
	Number    int64 // grows with every write: the newest version of an object has the greatest
	Marker    bool  // a delete marker, which has no bytes
	Digest    digest.Digest
	Size      int64
	ETag      string // without quotes
	Modified  time.Time
	About     About
}

// About is what is kept with the bytes of an object.
type About struct {
	Headers  map[string]string `json:",omitempty"` // Content-Type and others that are given back
	Metadata map[string]string `json:",omitempty"` // the user's own, by names in lower case
	Tags     map[string]string `json:",omitempty"`
	Checksum Checksum          `json:",omitzero"`
	Parts    []int64           `json:",omitempty"` // sizes of the parts that it was uploaded in
	Upload   string            `json:",omitempty"` // ID of the upload that it was
}

// Checksum is a sum of an object's bytes beside the ETag.
type Checksum struct {
	Algorithm string `json:",omitempty"` // "CRC32", "CRC64NVME", …; "" when there is none
	Type      string `json:",omitempty"` // "FULL_OBJECT", or "COMPOSITE": the sum of the parts' sums
	Value     string `json:",omitempty"` // in base64
}

// ObjectID names a version of an object; VersionID "" is the object itself.
type ObjectID struct{ Name, VersionID string }

// Upload is an object that comes in parts.
type Upload struct {
	ID        string // never used twice
	Bucket    BucketKey
	Name      string
	About     About // of the object; Checksum says which sums are to be made
	Initiated time.Time
}

// Part is a part of an upload.
type Part struct {
	Number   int
	Digest   digest.Digest
	Size     int64
	ETag     string
	Checksum string // in base64, of the upload's algorithm
	Modified time.Time
}

// ObjectRange chooses names in lists: those after After, from From on, before Before; "" sets no bound.
type ObjectRange struct{ After, From, Before string }

// Check is asked about the newest version of an object, nil when there is none, before it is changed. Its error is given back
// as it is, and nothing is changed. It may be asked again.
type Check func(newest *Object) error

// Objects is the part of a catalog that holds buckets. Where a bucket is named that does not exist, the error is of kind
// lambda.NotFound.
type Objects interface {
	// InsertBucket records a bucket; of a name that is taken the error is of kind lambda.Conflict.
	InsertBucket(ctx context.Context, b Bucket) (Bucket, error)
	GetBucket(ctx context.Context, k BucketKey) (Bucket, error)
	// ListBuckets gives up to limit buckets of an account whose names come after the given one, by name.
	ListBuckets(ctx context.Context, partition, account, after string, limit int) ([]Bucket, error)
	// UpdateBucket lets change work on a bucket and records its Versioning and Tags.
	UpdateBucket(ctx context.Context, k BucketKey, change func(*Bucket) error) (Bucket, error)
	// DeleteBucket forgets a bucket and its uploads. It is of kind lambda.Conflict when the bucket holds a version of an object.
	DeleteBucket(ctx context.Context, k BucketKey) error

	// PutObject records the newest version of an object. The bucket's versioning decides its ID, and whether it replaces the
	// null version.
	PutObject(ctx context.Context, o Object, check Check) (Object, error)
	// GetObject gives a version of an object, or the newest one; it is of kind lambda.NotFound when there is none. A delete
	// marker is given like any other version.
	GetObject(ctx context.Context, k BucketKey, id ObjectID) (Object, error)
	// UpdateObject lets change work on a version, or on the newest one, and records its About.
	UpdateObject(ctx context.Context, k BucketKey, id ObjectID, change func(*Object) error) (Object, error)
	// DeleteObjects forgets versions and deletes objects, all or none: by the bucket's versioning an object is forgotten, or
	// gets a delete marker. For each ID it gives the version that was forgotten or the marker that was made, with a Number of 0
	// when there was nothing to do or the bucket has no versions. What is not there is no error.
	DeleteObjects(ctx context.Context, k BucketKey, ids []ObjectID, now time.Time) ([]Object, error)
	// ListObjects gives the newest version of up to limit objects, by name, without those that are deleted.
	ListObjects(ctx context.Context, k BucketKey, r ObjectRange, limit int) ([]Object, error)
	// ListObjectVersions gives up to limit versions and markers, by name, the newest of each first. below leaves out those of
	// the object named r.From with greater or equal numbers; 0 leaves out none.
	ListObjectVersions(ctx context.Context, k BucketKey, r ObjectRange, below int64, limit int) ([]Object, error)

	InsertUpload(ctx context.Context, u Upload) (Upload, error)
	// GetUpload gives an upload; it is of kind lambda.NotFound when it does not exist, has ended, or is another object's.
	GetUpload(ctx context.Context, k BucketKey, name, id string) (Upload, error)
	// ListUploads gives up to limit uploads by name and ID. afterID leaves out those of the object named r.From up to that ID.
	ListUploads(ctx context.Context, k BucketKey, r ObjectRange, afterID string, limit int) ([]Upload, error)
	// PutPart records a part of an upload, in the place of one with its number; kinds as of GetUpload.
	PutPart(ctx context.Context, u Upload, p Part) (Part, error)
	// ListParts gives up to limit parts of an upload with numbers above after, ascending.
	ListParts(ctx context.Context, u Upload, after, limit int) ([]Part, error)
	// DeleteUpload forgets an upload and its parts; kinds as of GetUpload.
	DeleteUpload(ctx context.Context, u Upload) error
	// CompleteUpload is PutObject and DeleteUpload at once.
	CompleteUpload(ctx context.Context, u Upload, o Object, check Check) (Object, error)
}
