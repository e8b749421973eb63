// Package conformance compares lamina with AWS's public service model and with AWS's own clients. It reads the model itself,
// not what lamina's generator made of it.
package conformance

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// model is the part of the service model that is compared.
type model struct {
	Operations map[string]struct {
		HTTP struct {
			Method, RequestURI string
			ResponseCode       int
		}
		Output *ref
		Errors []ref
	}
	Shapes map[string]shape
}

type ref struct{ Shape string }

type shape struct {
	Type    string
	Members map[string]struct{ Shape, Location string }
	Payload string
	Member  ref
	Value   ref
	Error   struct{ HTTPStatusCode int }
}

// botocoreVersion is the version that lamina's tables are generated from.
const botocoreVersion = "1.43.11"

// python gives an interpreter that has boto3 and botocore of the right version, or the reason that there is none.
func python() (path string, reason error) {
	var tried []string
	for _, p := range []string{os.Getenv("LAMINA_BOTOCORE_PYTHON"), "../../.tools/venv/bin/python", "python3"} {
		if p == "" {
			continue
		}
		out, err := exec.Command(p, "-c", "import boto3, botocore; print(botocore.__version__)").Output()
		version := strings.TrimSpace(string(out))
		if err == nil && version == botocoreVersion {
			return p, nil
		}
		tried = append(tried, fmt.Sprintf("%s (%v, botocore %q)", p, err, version))
	}
	return "", fmt.Errorf("no python has boto3 with botocore %s: %s", botocoreVersion, strings.Join(tried, ", "))
}

// needPython gives the interpreter, or skips the test and says why.
func needPython(t *testing.T) string {
	t.Helper()
	p, reason := python()
	if reason != nil {
		t.Skip(reason)
	}
	return p
}

func readModel(t *testing.T) *model {
	t.Helper()
	out, err := exec.Command(needPython(t), "-c", "import botocore; print(botocore.__path__[0])").Output()
	must(t, err)
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(out)), "data/lambda/2015-03-31/service-2.json.gz"))
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	m := &model{}
	must(t, json.NewDecoder(z).Decode(m))
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fits gives what a JSON value has that its shape has not, by path.
func (m *model) fits(name string, v any, path string) []string {
	s := m.Shapes[name]
	if v == nil {
		return nil
	}
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			member, known := s.Members[k]
			switch {
			case s.Type == "map":
				out = append(out, m.fits(s.Value.Shape, x, path+"."+k)...)
			case !known || member.Location != "":
				out = append(out, path+"."+k+" is no member of "+name)
			default:
				out = append(out, m.fits(member.Shape, x, path+"."+k)...)
			}
		}
		if s.Type != "structure" && s.Type != "map" {
			out = append(out, path+" is an object, not a "+s.Type)
		}
		return out
	case []any:
		for i, x := range v {
			out = append(out, m.fits(s.Member.Shape, x, fmt.Sprintf("%s[%d]", path, i))...)
		}
		if s.Type != "list" {
			out = append(out, path+" is a list, not a "+s.Type)
		}
		return out
	}
	if got := jsonTypes[fmt.Sprintf("%T", v)]; !strings.Contains(got, " "+s.Type+" ") {
		out = append(out, fmt.Sprintf("%s is %v, not a %s", path, v, s.Type))
	}
	return out
}

// jsonTypes are the model's types that a JSON value may be, by its type in Go.
var jsonTypes = map[string]string{
	"string":  " string blob ",
	"float64": " integer long double timestamp ",
	"bool":    " boolean ",
}
