package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// S3 is a place in an S3-compatible store.
type S3 struct {
	Bucket   string
	Prefix   string // without slashes at its ends; "" is the whole bucket
	Endpoint string // http(s)://HOST[:PORT]; "" is AWS's
	Region   string // "" is what the AWS configuration says
}

// bucketPattern is AWS's rule for names of buckets, but for what it says of dots beside each other.
var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// S3 gives the store of zips when it is not the data folder. The setting must be valid.
func (c Config) S3() (s S3, ok bool) {
	if c.Blob == "" {
		return S3{}, false
	}
	s, err := parseBlob(c.Blob)
	return s, err == nil
}

// Shared reports whether other servers may have the same records.
func (c Config) Shared() bool { return !strings.HasPrefix(c.DatabaseURL(), "sqlite:") }

func checkBlob(s string) error {
	if s == "" {
		return nil
	}
	_, err := parseBlob(s)
	return err
}

// parseBlob reads s3://BUCKET/PREFIX?endpoint=URL&region=REGION. No error repeats what may be a secret.
func parseBlob(text string) (S3, error) {
	u, err := url.Parse(text)
	if err != nil {
		return S3{}, errors.New("is not a URL such as s3://BUCKET/PREFIX?endpoint=http://HOST:9000")
	}
	if u.Scheme != "s3" {
		return S3{}, fmt.Errorf("%q is not s3; leave the setting out to keep zips in the data folder", u.Scheme)
	}
	if u.User != nil {
		return S3{}, errors.New("holds credentials: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in a profile, and leave them out here")
	}
	s := S3{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if !bucketPattern.MatchString(s.Bucket) {
		return S3{}, fmt.Errorf("%q is not the name of a bucket", s.Bucket)
	}
	if strings.Contains(s.Prefix, "//") || len(s.Prefix) > 512 {
		return S3{}, fmt.Errorf("%q is not a prefix such as team/lamina", s.Prefix)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return S3{}, errors.New("has parameters that cannot be read")
	}
	for name := range query {
		if name != "endpoint" && name != "region" {
			return S3{}, fmt.Errorf("has the parameter %q; there are endpoint and region", name)
		}
	}
	s.Endpoint, s.Region = strings.TrimRight(query.Get("endpoint"), "/"), query.Get("region")
	if s.Region != "" && !storeRegion.MatchString(s.Region) {
		return S3{}, fmt.Errorf("%q is not a region such as %s", s.Region, DefaultRegion)
	}
	return s, checkEndpoint(s.Endpoint)
}

// storeRegion is wider than AWS's names: other stores have their own.
var storeRegion = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

func checkEndpoint(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("has an endpoint that is not http:// or https:// and HOST[:PORT]")
	}
	return nil
}
