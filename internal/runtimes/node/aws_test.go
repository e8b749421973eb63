package node_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

var record = flag.Bool("record", false, "rewrite testdata/aws from what AWS's runtime client does here")

// wholly is LAMINA_TEST_AWS_CLIENT=all: the records are compared with AWS's client one and all, which takes a minute.
var wholly = os.Getenv("LAMINA_TEST_AWS_CLIENT") == "all"

// outcome is what a function leaves behind, without what differs from one machine, node or runtime client to another.
type outcome struct {
	Case   string   // digest of the case that was recorded
	Posts  []string // path, error type in the header if there is one, body
	Output []string // lines
	Exit   int      // -1: it waits for more
}

// records are the outcomes of AWS's client by the names of cases.
type records map[string]outcome

// recordFile gives where the records of the client for a major lie.
func recordFile(major int) string {
	if major < 24 {
		return "testdata/aws/client3.json"
	}
	return "testdata/aws/client4.json"
}

func readRecords(t *testing.T, major int) records {
	t.Helper()
	text, err := os.ReadFile(recordFile(major))
	if err != nil {
		t.Fatal(err)
	}
	r := records{}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAsAWS: functions leave behind what they leave with AWS's runtime client: what is posted, the log line by line, and the exit
// code. What AWS's client did is recorded, with the digest of the case; where it is installed, it is held to the records too.
func TestAsAWS(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		major := p.interpreter.Major
		want := readRecords(t, major)
		for i, c := range awsCases {
			if !c.on(major) || compared[major] == "" && !wholly && i%3 != 0 { // a third suffices for the nodes between
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				wanted, ok := want[c.name]
				if !ok {
					t.Fatalf("%s has no record of it: run with -record where AWS's client is installed", recordFile(major))
				}
				if diff := cmp.Diff(wanted, c.run(t, p)); diff != "" {
					t.Errorf("-AWS +ours:\n%s", diff)
				}
			})
		}
	})
}

// TestRecordsOfAWS: the records are what AWS's client does: some of them, since it starts slowly; with LAMINA_TEST_AWS_CLIENT=all
// each. With -record they are made.
func TestRecordsOfAWS(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		major := p.interpreter.Major
		if p.Runtime, p.Args = theirs(t, major); p.Args == nil {
			return
		}
		made := records{}
		for _, c := range awsCases {
			if c.on(major) && *record {
				made[c.name] = c.run(t, p)
			}
		}
		if *record {
			writeRecords(t, major, made)
		}
		want := readRecords(t, major)
		for i, c := range awsCases {
			if !c.on(major) || *record || !wholly && (i%8 != 0 || len(c.events) > 3) {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				if diff := cmp.Diff(want[c.name], c.run(t, p)); diff != "" {
					t.Errorf("-record +AWS:\n%s", diff)
				}
			})
		}
	})
}

func writeRecords(t *testing.T, major int, r records) {
	t.Helper()
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(r); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(recordFile(major)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recordFile(major), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// digest changes when what the function is or gets does.
func (c awsCase) digest() string {
	text, _ := json.Marshal([]any{c.files, c.handler, c.events, c.env}) // of strings alone
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// run gives the outcome of a case.
func (c awsCase) run(t *testing.T, p process) outcome {
	t.Helper()
	p.Task, p.Handler, p.Env = c.files, c.handler, append(c.env, "AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING=1", "NODE_PATH=.")
	events := c.events
	if events == nil {
		events = []string{"1"}
	}
	list := make([]event, len(events))
	for i, e := range events {
		list[i] = event{Body: e}
	}
	got := p.Run(t, runtimetest.NewAPI(t, list...))
	names := strings.NewReplacer("file://"+p.Runtime, "RUNTIME", p.Runtime, "RUNTIME", filepath.Dir(p.Args[len(p.Args)-1]), "RUNTIME", p.TaskDir, "TASK")
	plain := func(s string) string { return withoutFrames(names.Replace(s)) }
	out := outcome{Case: c.digest(), Exit: got.Exit, Output: lines(plain(got.Output))}
	for _, post := range got.Posts {
		out.Posts = append(out.Posts, strings.TrimSpace(post.Path+" "+post.ErrorType)+" "+plain(post.Body))
		if post.Cause != "" {
			out.Posts = append(out.Posts, "cause "+ownFrames(t, names.Replace(post.Cause)))
		}
	}
	return out
}

var (
	strangeFrame  = regexp.MustCompile(`[\r\n]    at [^\r\n]*`)
	frameInJSON   = regexp.MustCompile(`,"    at (?:[^"\\]|\\.)*"`)
	frameInString = regexp.MustCompile(`\\n    at (?:[^"\\]|\\[^n])*`)
	nodeVersion   = regexp.MustCompile(`Node\.js v[0-9.]+`)
	thrownAt      = regexp.MustCompile(`(?m)^(?:RUNTIME|node:|TASK)\S*:\d+\n(?:.*\n)*?\s*\^+\s*\n`)
)

// withoutFrames takes away where something was thrown, which TestTraces compares.
func withoutFrames(s string) string {
	s = timestamp.ReplaceAllString(s, "TIME")
	for _, frames := range []*regexp.Regexp{strangeFrame, frameInJSON, frameInString} {
		s = frames.ReplaceAllString(s, "")
	}
	return nodeVersion.ReplaceAllString(thrownAt.ReplaceAllString(s, ""), "Node.js vN")
}

// ownFrames leaves of a cause for X-Ray what is of the function.
func ownFrames(t *testing.T, cause string) string {
	t.Helper()
	var c struct {
		Dir        string `json:"working_directory"`
		Exceptions []struct {
			Type    json.RawMessage  `json:"type,omitempty"`
			Message json.RawMessage  `json:"message,omitempty"`
			Stack   []map[string]any `json:"stack"`
		} `json:"exceptions"`
		Paths []string `json:"paths"`
	}
	dec := json.NewDecoder(strings.NewReader(cause))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		t.Fatalf("%v in %s", err, cause)
	}
	strange := func(path any) bool { s, ok := path.(string); return !ok || !strings.HasPrefix(s, "TASK/") }
	for i := range c.Exceptions {
		c.Exceptions[i].Stack = slices.DeleteFunc(c.Exceptions[i].Stack, func(frame map[string]any) bool { return strange(frame["path"]) })
	}
	c.Paths = slices.DeleteFunc(c.Paths, func(path string) bool { return strange(path) })
	out, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func lines(s string) []string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return slices.DeleteFunc(all, func(line string) bool { return line == "" })
}

// TestLongCause: a cause that is longer than what X-Ray keeps is left out, so that no error is too long to be posted.
func TestLongCause(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "index.h", map[string]string{"index.js": "exports.h = async (n) => { throw new Error('é'.repeat(n)); };"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "32000"}, event{Body: "2000000"}))
		if len(got.Posts) != 2 {
			t.Fatalf("got %d posts", len(got.Posts))
		}
		for i, sent := range []bool{true, false} {
			if post := got.Posts[i]; (post.Cause != "") != sent || len(post.Body) < 60000 {
				t.Errorf("%d: a cause of %d bytes with a body of %d", i, len(post.Cause), len(post.Body))
			}
		}
	})
}
