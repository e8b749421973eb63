package e2e_test

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// TestPublishMemory publishes 50 MB and wants that the server's peak stays under 150 MB above what it holds when idle.
func TestPublishMemory(t *testing.T) {
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	e := environment(t)
	program := os.Getenv("LAMINA_BIN_PLAIN") // the race detector multiplies memory
	if program == "" {
		program = e.lamina
	}
	dir := t.TempDir()
	s, err := startServer(program, filepath.Join(dir, "server.log"), os.Environ(), "--data", filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}()
	c := client(s.url)
	publish := func(content []byte) {
		if _, err := c.PublishLayerVersion(context.Background(), &awslambda.PublishLayerVersionInput{
			LayerName: aws.String("big"), Content: &types.LayerVersionContentInput{ZipFile: content},
		}); err != nil {
			t.Fatal(err)
		}
	}
	publish(zipOf("small", []byte("to have everything loaded")))
	idle := memory(t, s.cmd.Process.Pid, "VmRSS")
	data := make([]byte, 50_000_000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	publish(zipOf("random", data))
	peak := memory(t, s.cmd.Process.Pid, "VmHWM")
	t.Logf("idle %d MB, peak %d MB", idle>>10, peak>>10)
	if grown := peak - idle; grown > 150<<10 {
		t.Errorf("publishing 50 MB took %d MB of memory above the %d MB of an idle server", grown>>10, idle>>10)
	}
}

// memory reads a member of /proc/PID/status, in KiB.
func memory(t *testing.T, pid int, member string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, member+":"); ok {
			n, err := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s in the status of process %d", member, pid)
	return 0
}

func writeZip(out io.Writer, name string, data []byte) error {
	w := zip.NewWriter(out)
	f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return w.Close()
}
