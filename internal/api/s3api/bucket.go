package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
)

const (
	namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	isoTime   = "2006-01-02T15:04:05.000Z"
	// maxBucketTags is how many tags a bucket may have.
	maxBucketTags = 50
)

type owner struct {
	ID string
}

// ownerOf is the canonical ID of an account, which S3 has beside the account's number.
func ownerOf(account string) owner {
	sum := sha256.Sum256([]byte("lamina canonical user " + account))
	return owner{hex.EncodeToString(sum[:])}
}

type listBucketsResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner   owner
	Buckets []bucketEntry `xml:"Buckets>Bucket"`
}

type bucketEntry struct {
	Name         string
	CreationDate string
	BucketRegion string
}

func (a *API) listBuckets(q *request) error {
	list, err := a.Objects.ListBuckets(q.ctx(), q.call.Scope)
	if err != nil {
		return err
	}
	out := listBucketsResult{Owner: ownerOf(q.call.Scope.Account)}
	for _, b := range list {
		out.Buckets = append(out.Buckets, bucketEntry{b.Key.Name, b.Created.Format(isoTime), b.Region})
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}

type createBucketConfiguration struct {
	LocationConstraint string
	Tags               []tag `xml:"Tags>Tag"`
}

func (a *API) createBucket(q *request) error {
	if err := q.checkHeaders(); err != nil {
		return err
	}
	if q.r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled") == "true" {
		return notImplemented("object lock")
	}
	var in createBucketConfiguration
	if _, err := q.readOptionalXML(&in); err != nil {
		return err
	}
	scope := q.call.Scope
	region, err := place(scope.Region, in.LocationConstraint)
	if err != nil {
		return err
	}
	scope.Region = region
	tags := tagMap(in.Tags)
	if err := checkTags(tags, maxBucketTags); err != nil {
		return err
	}
	if err := a.Objects.CreateBucket(q.ctx(), scope, q.bucket, tags); err != nil {
		return err
	}
	q.w.Header().Set("Location", "/"+q.bucket)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// place is the region where a bucket is made. us-east-1 makes buckets everywhere, other regions only their own, and there it has
// to be said.
func place(here, constraint string) (string, error) {
	if constraint == "EU" {
		constraint = "eu-west-1"
	}
	switch {
	case constraint == "" && here == "us-east-1":
		return here, nil
	case constraint == "":
		return "", newFault("IllegalLocationConstraintException",
			"The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case constraint == "us-east-1":
		return "", newFault("InvalidLocationConstraint", "The specified location-constraint is not valid")
	case constraint != here && here != "us-east-1":
		return "", newFault("IllegalLocationConstraintException",
			"The "+constraint+" location constraint is incompatible for the region specific endpoint this request was sent to.")
	}
	return constraint, nil
}

func (a *API) headBucket(q *request) error {
	b, err := a.Objects.Bucket(q.ctx(), q.call.Scope, q.bucket)
	if err != nil {
		return err
	}
	q.w.Header()["x-amz-bucket-region"] = []string{b.Region}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (a *API) deleteBucket(q *request) error {
	if err := a.Objects.DeleteBucket(q.ctx(), q.call.Scope, q.bucket); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

type locationResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

// bucketLocation answers from every region. us-east-1 has no name there.
func (a *API) bucketLocation(q *request) error {
	b, err := a.Objects.Anywhere(q.ctx(), q.call.Scope, q.bucket)
	if err != nil {
		return err
	}
	out := locationResult{Region: b.Region}
	if b.Region == "us-east-1" {
		out.Region = ""
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}

type versioningConfiguration struct {
	XMLName   xml.Name           `xml:"VersioningConfiguration"`
	Namespace string             `xml:"xmlns,attr,omitempty"`
	Status    catalog.Versioning `xml:",omitempty"`
	MFADelete string             `xml:"MfaDelete,omitempty"`
}

func (a *API) bucketVersioning(q *request) error {
	b, err := a.Objects.Bucket(q.ctx(), q.call.Scope, q.bucket)
	if err != nil {
		return err
	}
	writeXML(q.w, http.StatusOK, versioningConfiguration{Namespace: namespace, Status: b.Versioning})
	return nil
}

func (a *API) putBucketVersioning(q *request) error {
	var in versioningConfiguration
	if err := q.readXML(&in); err != nil {
		return err
	}
	switch {
	case in.MFADelete == "Enabled":
		return notImplemented("MFA delete")
	case in.Status != catalog.VersioningEnabled && in.Status != catalog.VersioningSuspended:
		return malformedXML()
	}
	err := a.Objects.UpdateBucket(q.ctx(), q.call.Scope, q.bucket, func(b *catalog.Bucket) { b.Versioning = in.Status })
	if err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
