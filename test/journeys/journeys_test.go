// Package journeys_test lets clients that people use make a journey through the API of a real server: the AWS CLI, the AWS
// SDKs for Python, JavaScript, Go and Java, and Terraform. The SDKs' journeys are one journey, journey.txt, written once in
// each language. A client that is not on the machine is named, with the reason.
package journeys_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// traveller is a client in one language.
type traveller struct {
	name string
	// pack prepares the program in the folder of the journey, and gives the command that runs it. When the machine lacks
	// something, it says what.
	pack func(t *testing.T, dir string) (command []string, missing string)
	// sees changes the line that is wanted to what this client can see of it.
	sees func(line string) string
}

func TestJourneys(t *testing.T) {
	t.Parallel() // beside Terraform, which waits most of the time
	for _, who := range []traveller{
		{name: "python", pack: packPython},
		{name: "node", pack: packNode},
		{name: "go", pack: packGo},
		{name: "java", pack: packJava},
		{name: "cli", pack: packCLI, sees: withoutStatus},
	} {
		t.Run(who.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			command, missing := who.pack(t, dir)
			if missing != "" {
				skip(t, who.name, missing)
			}
			baggage(t, dir)
			got := travel(t, dir, startServer(t, dir), command)
			if diff := cmp.Diff(wanted(t, who.sees), lines(got)); diff != "" {
				t.Errorf("the journey in %s (-want +got):\n%s", who.name, diff)
				return
			}
			fmt.Printf("journey: %s: %d steps as wanted\n", who.name, len(lines(got)))
		})
	}
}

func skip(t *testing.T, name, missing string) {
	t.Helper()
	fmt.Printf("journey: %s: not made, %s\n", name, missing)
	t.Skipf("not made: %s", missing)
}

// wanted are the lines of journey.txt.
func wanted(t *testing.T, sees func(string) string) []string {
	b, err := os.ReadFile("journey.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, line := range lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if sees != nil {
			line = sees(line)
		}
		all = append(all, line)
	}
	return all
}

func lines(s string) []string {
	var all []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

var status = regexp.MustCompile(`^([^:]*: [A-Za-z]+Exception) \d{3} `)

// withoutStatus is what the AWS CLI prints of an error.
func withoutStatus(line string) string { return status.ReplaceAllString(line, "$1 ") }

// baggage writes the zips that every journey needs.
func baggage(t *testing.T, dir string) {
	handler := `from words import WORD

def handler(event, context):
    print("greeting", event["name"])
    return {"text": f"{WORD}%s, {event['name']}!"}
`
	for name, file := range map[string][2]string{
		"layer.zip": {"python/words.py", "WORD = \"Hello\"\n"},
		"one.zip":   {"app.py", fmt.Sprintf(handler, "")},
		"two.zip":   {"app.py", fmt.Sprintf(handler, " again")},
	} {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		w, err := z.Create(file[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(file[1])); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// patience ends what hangs. It measures nothing.
const patience = 8 * time.Minute

// travel runs a client in dir and gives what it printed.
func travel(t *testing.T, dir string, s *server, command []string, more ...string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(environ(t, dir, s), more...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\nit had said:\n%s\nthe server's log:\n%s", strings.Join(command, " "), err, &stderr, out, s.output())
	}
	return string(out)
}

// environ is the environment of a client: nothing of the caller's settings for AWS.
func environ(t *testing.T, dir string, s *server) []string {
	home, tmp := filepath.Join(dir, "home"), filepath.Join(dir, "tmp")
	for _, d := range []string{home, tmp} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"HOME=" + home, "PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "TMPDIR=" + tmp,
		"LAMINA_TEST_RUN=" + os.Getenv("LAMINA_TEST_RUN"), "RUNTIME=" + s.runtime, "PYTHONDONTWRITEBYTECODE=1",
		"AWS_ENDPOINT_URL=" + s.url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true"}
}
