package lambdaapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/laminadev/lamina/internal/api/jsonstream"
	"github.com/laminadev/lamina/internal/lambda"
)

const (
	// printedPublishLimit is what AWS was seen to print for PublishLayerVersion, years ago. It would not let a zip of 50 MiB
	// through, so what is accepted is lambda.MaxRequestSize, as for the others.
	printedPublishLimit = 69905067
	// requestSlack is how much further a request is read than its limit, so that a zip that is too large is seen first.
	requestSlack = 256 << 10
	// maxMembers is how many bytes the members of a body may have, without a zip: what AWS allows a payload.
	maxMembers = lambda.MaxPayloadSize
)

// readInput reads all members of an operation's input: those of the path, the query, the headers and the body, which has at
// most so many bytes. zip gets the decoded bytes of a ZipFile member while they arrive.
func readInput(op *Route, r *http.Request, path []string, most int64, zip func(io.Reader) error) (jsonstream.Value, error) {
	in := jsonstream.Value{Kind: jsonstream.Object}
	if op.input.hasBody() {
		body, err := readBody(op, r, most, zip)
		if err != nil {
			return in, err
		}
		if body.Kind != jsonstream.Null {
			in = body
		}
	}
	if err := checkTypes(op.input, &in); err != nil {
		return in, err
	}
	if err := readParameters(op, r, path, &in); err != nil {
		return in, err
	}
	return in, validate(op.input, &in)
}

// readBody reads the JSON of a body. AWS looks at the size of a zip before that of the whole request, so a request that is too
// long is read somewhat further than its limit.
func readBody(op *Route, r *http.Request, most int64, zip func(io.Reader) error) (jsonstream.Value, error) {
	body := &limitReader{r: r.Body, limit: most + requestSlack}
	v, err := jsonstream.Decode(body, jsonstream.Options{Filter: op.input, Stream: zip, MaxKept: maxMembers})
	var syntax *jsonstream.SyntaxError
	var size *jsonstream.SizeError
	switch {
	case body.n == 0 && body.err == nil: // says as much as {}
		return jsonstream.Value{}, nil
	case body.n > most && (err == nil || body.exceeded):
		return v, tooLarge(op, printedLimit(op, most))
	case errors.As(err, &size):
		return v, tooLarge(op, size.Limit)
	case errors.As(err, &syntax):
		return v, malformedAt("", syntax)
	case body.err != nil:
		return v, malformed("the request ended early: %v", body.err)
	}
	return v, err
}

func printedLimit(op *Route, most int64) int64 {
	if op.Name == "PublishLayerVersion" && most == lambda.MaxRequestSize {
		return printedPublishLimit
	}
	return most
}

func tooLarge(op *Route, limit int64) error {
	return lambda.Errorf(lambda.TooLarge, "Request must be smaller than %d bytes for the %s operation", limit, op.wireName())
}

// limitReader is io.LimitReader with a memory: a body that is too long is told from one that ended, and a broken connection
// from either.
type limitReader struct {
	r        io.Reader
	limit    int64
	n        int64 // bytes read
	exceeded bool
	err      error // of r, but the end
}

func (l *limitReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.n += int64(n); l.n > l.limit {
		l.exceeded = true
		return 0, io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}

// malformed gives the error for a body that is not the JSON we expect.
func malformed(format string, args ...any) error {
	return lambda.Errorf(lambda.Malformed, "Could not parse request body into json: "+format, args...)
}

// malformedAt words a syntax error as AWS's parser does, with the place if it has one.
func malformedAt(prefix string, e *jsonstream.SyntaxError) error {
	if e.Line == 0 {
		return malformed("%s%s", prefix, e.Text)
	}
	return malformed("%s%s\n at %s", prefix, e.Text, e.Place())
}

// readParameters reads the members that are not in the body.
func readParameters(op *Route, r *http.Request, path []string, in *jsonstream.Value) error {
	var query url.Values
	for i := range op.input.members {
		m := &op.input.members[i]
		switch m.in {
		case inPath:
			v, err := parameter(m, op.parameter(path, m.wireName()))
			if err != nil {
				return err
			}
			in.Set(m.name, v)
		case inQuery:
			if r.URL.RawQuery == "" {
				continue
			}
			if query == nil {
				query = r.URL.Query()
			}
			if err := readQuery(m, query[m.wireName()], in); err != nil {
				return err
			}
		case inHeader:
			if s := r.Header.Get(m.wireName()); s != "" {
				in.Set(m.name, jsonstream.Value{Kind: jsonstream.String, Text: s})
			}
		}
	}
	return nil
}

func readQuery(m *member, values []string, in *jsonstream.Value) error {
	if len(values) == 0 {
		return nil
	}
	if m.shape.kind != kindList {
		v, err := parameter(m, values[0])
		in.Set(m.name, v)
		return err
	}
	list := jsonstream.Value{Kind: jsonstream.Array}
	for _, s := range values {
		list.Items = append(list.Items, jsonstream.Value{Kind: jsonstream.String, Text: s})
	}
	in.Set(m.name, list)
	return nil
}

func parameter(m *member, s string) (jsonstream.Value, error) {
	switch m.shape.kind {
	case kindInteger, kindLong:
		bits := 64
		if m.shape.kind == kindInteger {
			bits = 32
		}
		n, err := strconv.ParseInt(s, 10, bits)
		if err != nil {
			return jsonstream.Value{}, badParameter(m, s)
		}
		return jsonstream.Value{Kind: jsonstream.Number, Text: strconv.FormatInt(n, 10)}, nil
	case kindBoolean:
		switch s {
		case "true", "false":
			return jsonstream.Value{Kind: jsonstream.Bool, Bool: s == "true"}, nil
		}
		return jsonstream.Value{}, badParameter(m, s)
	}
	return jsonstream.Value{Kind: jsonstream.String, Text: s}, nil
}

func badParameter(m *member, s string) error {
	return violationError([]string{fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must be a valid %s", s, join("", m.name), m.shape.kind)})
}
