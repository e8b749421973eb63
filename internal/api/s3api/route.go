package s3api

import (
	"net/http"
	"strings"

	"github.com/laminadev/lamina/internal/objects"
)

// level is what a request names.
type level int

const (
	onService level = iota // nothing
	onBucket
	onObject
)

// route is an operation and where it lies.
type route struct {
	method string
	level  level
	query  string // a name in the query; "" is the operation without any
	name   string
	serve  func(*API, *request) error
}

// routes is the table; the first row that fits wins, so those with a name in the query come first.
var routes = []route{
	{"GET", onService, "", "ListBuckets", (*API).listBuckets},

	{"GET", onBucket, "location", "GetBucketLocation", (*API).bucketLocation},
	{"GET", onBucket, "versioning", "GetBucketVersioning", (*API).bucketVersioning},
	{"PUT", onBucket, "versioning", "PutBucketVersioning", (*API).putBucketVersioning},
	{"GET", onBucket, "tagging", "GetBucketTagging", (*API).bucketTagging},
	{"PUT", onBucket, "tagging", "PutBucketTagging", (*API).putBucketTagging},
	{"DELETE", onBucket, "tagging", "DeleteBucketTagging", (*API).deleteBucketTagging},
	{"GET", onBucket, "versions", "ListObjectVersions", (*API).listVersions},
	{"GET", onBucket, "uploads", "ListMultipartUploads", (*API).listUploads},
	{"POST", onBucket, "delete", "DeleteObjects", (*API).deleteObjects},
	{"GET", onBucket, "list-type", "ListObjectsV2", (*API).listObjectsV2},
	{"GET", onBucket, "", "ListObjects", (*API).listObjects},
	{"PUT", onBucket, "", "CreateBucket", (*API).createBucket},
	{"HEAD", onBucket, "", "HeadBucket", (*API).headBucket},
	{"DELETE", onBucket, "", "DeleteBucket", (*API).deleteBucket},

	{"GET", onObject, "tagging", "GetObjectTagging", (*API).objectTagging},
	{"PUT", onObject, "tagging", "PutObjectTagging", (*API).putObjectTagging},
	{"DELETE", onObject, "tagging", "DeleteObjectTagging", (*API).deleteObjectTagging},
	{"POST", onObject, "uploads", "CreateMultipartUpload", (*API).createUpload},
	{"PUT", onObject, "uploadId", "UploadPart", (*API).putPart},
	{"POST", onObject, "uploadId", "CompleteMultipartUpload", (*API).completeUpload},
	{"GET", onObject, "uploadId", "ListParts", (*API).listParts},
	{"DELETE", onObject, "uploadId", "AbortMultipartUpload", (*API).abortUpload},
	{"GET", onObject, "attributes", "GetObjectAttributes", (*API).objectAttributes},
	{"GET", onObject, "", "GetObject", (*API).getObject},
	{"HEAD", onObject, "", "HeadObject", (*API).getObject},
	{"PUT", onObject, "", "PutObject", (*API).putObject},
	{"DELETE", onObject, "", "DeleteObject", (*API).deleteObject},
}

// others are the names in a query that mean operations which lamina does not have, and what S3 calls them.
var others = map[string]string{
	"abac": "bucket ABAC", "accelerate": "transfer acceleration", "acl": "ACLs", "analytics": "analytics configurations",
	"append": "appending", "attributes": "attributes", "cors": "CORS", "encryption": "encryption configurations",
	"intelligent-tiering": "intelligent tiering", "inventory": "inventories", "legal-hold": "legal holds", "lifecycle": "lifecycles",
	"logging": "access logging", "metadataConfiguration": "metadata configurations", "metadataTable": "metadata tables",
	"metrics": "metrics configurations", "notification": "notifications", "object-lock": "object lock",
	"ownershipControls": "ownership controls", "policy": "bucket policies", "policyStatus": "bucket policies",
	"publicAccessBlock": "public access blocks", "renameObject": "renaming", "replication": "replication",
	"requestPayment": "requester pays", "restore": "restoring", "retention": "retention", "select": "S3 Select",
	"session": "sessions of directory buckets", "torrent": "torrents", "website": "websites",
	"tagging": "tagging there", "uploads": "uploads there", "uploadId": "that of an upload", "versions": "versions there",
	"versioning": "versioning there", "location": "locations there", "delete": "deleting there",
}

// find gives the operation of a request.
func find(q *request) (route, error) {
	at := onService
	switch {
	case q.key != "":
		at = onObject
	case q.bucket != "":
		at = onBucket
	}
	for _, r := range routes {
		if r.method == q.r.Method && r.level == at && (r.query == "" || q.query.Has(r.query)) {
			if r.query == "" {
				if err := checkOthers(q); err != nil {
					return r, err
				}
			}
			return r, nil
		}
	}
	if err := checkOthers(q); err != nil {
		return route{}, err
	}
	if at == onBucket && q.r.Method == http.MethodPost && strings.HasPrefix(q.r.Header.Get("Content-Type"), "multipart/form-data") {
		return route{}, notImplemented("uploads of forms (POST Object)")
	}
	return route{}, &objects.Error{Code: objects.MethodNotAllowed, Message: "The specified method is not allowed against this resource.",
		Method: q.r.Method, ResourceType: [...]string{"SERVICE", "BUCKET", "OBJECT"}[at]}
}

// checkOthers refuses an operation that would otherwise be taken for the one without a name in the query.
func checkOthers(q *request) error {
	for name := range q.query {
		if what, ok := others[name]; ok {
			return notImplemented(what)
		}
	}
	return nil
}
