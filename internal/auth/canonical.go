package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonical is the text that is signed: method, path, query, signed headers with their values, their names, and the digest
// of the body.
func (s *Signature) canonical(r *http.Request, payload string) (string, error) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, line := range []string{r.Method, s.canonicalPath(r), query} {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	for _, name := range s.headers {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + payload)
	return b.String(), nil
}

// canonicalPath is the path as it was sent, escaped once more; S3 alone leaves it as it is.
func (s *Signature) canonicalPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // the absolute form, or a request that came over no wire
		path = r.URL.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	if s.Service == "s3" {
		return path
	}
	return escape(path, true)
}

// canonicalQuery is the query in AWS's escaping, sorted, without the signature itself.
func canonicalQuery(raw string) (string, error) {
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return "", badSignature(textMismatch)
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return "", badSignature(textMismatch)
		}
		if name != "X-Amz-Signature" {
			pairs = append(pairs, pair{escape(name, false), escape(value, false)})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	list := make([]string, len(pairs))
	for i, p := range pairs {
		list[i] = p.name + "=" + p.value
	}
	return strings.Join(list, "&"), nil
}

// escape leaves what RFC 3986 calls unreserved, and slashes where they may stay.
func escape(s string, slashes bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0, slashes && c == '/':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// headerValue is the value of a header with single spaces; Go keeps two of the headers elsewhere.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, singleSpaces(v))
	}
	return strings.Join(values, ",")
}

func singleSpaces(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
	return strings.Join(words, " ")
}

func hashOf(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
