package s3api

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"

	"github.com/laminadev/lamina/internal/catalog"
)

type tag struct{ Key, Value string }

type tagging struct {
	XMLName   xml.Name `xml:"Tagging"`
	Namespace string   `xml:"xmlns,attr,omitempty"`
	Tags      []tag    `xml:"TagSet>Tag"`
}

func newTagging(tags map[string]string) tagging {
	t := tagging{Namespace: namespace, Tags: []tag{}}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		t.Tags = append(t.Tags, tag{k, tags[k]})
	}
	return t
}

func tagMap(list []tag) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, t := range list {
		m[t.Key] = t.Value
	}
	return m
}

// readTags reads a body of tags.
func (q *request) readTags(limit int) (map[string]string, error) {
	var in tagging
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	tags := tagMap(in.Tags)
	if len(tags) != len(in.Tags) {
		return nil, newFault("InvalidTag", "Cannot provide multiple Tags with the same key")
	}
	return tags, checkTags(tags, limit)
}

func (a *API) bucketTagging(q *request) error {
	b, err := a.Objects.Bucket(q.ctx(), q.call.Scope, q.bucket)
	if err != nil {
		return err
	}
	if len(b.Tags) == 0 {
		return newFault("NoSuchTagSet", "The TagSet does not exist")
	}
	writeXML(q.w, http.StatusOK, newTagging(b.Tags))
	return nil
}

func (a *API) putBucketTagging(q *request) error {
	tags, err := q.readTags(maxBucketTags)
	if err != nil {
		return err
	}
	return a.tagBucket(q, tags)
}

func (a *API) deleteBucketTagging(q *request) error { return a.tagBucket(q, nil) }

func (a *API) tagBucket(q *request, tags map[string]string) error {
	if err := a.Objects.UpdateBucket(q.ctx(), q.call.Scope, q.bucket, func(b *catalog.Bucket) { b.Tags = tags }); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) objectTagging(q *request) error {
	b, o, err := a.Objects.Get(q.ctx(), q.call.Scope, q.bucket, q.id())
	if err != nil {
		return err
	}
	q.versionHeader(b, o)
	writeXML(q.w, http.StatusOK, newTagging(o.About.Tags))
	return nil
}

func (a *API) putObjectTagging(q *request) error {
	tags, err := q.readTags(maxTags)
	if err != nil {
		return err
	}
	return a.tagObject(q, tags, http.StatusOK)
}

func (a *API) deleteObjectTagging(q *request) error { return a.tagObject(q, nil, http.StatusNoContent) }

func (a *API) tagObject(q *request, tags map[string]string, status int) error {
	b, o, err := a.Objects.Tag(q.ctx(), q.call.Scope, q.bucket, q.id(), tags)
	if err != nil {
		return err
	}
	q.versionHeader(b, o)
	q.w.WriteHeader(status)
	return nil
}
