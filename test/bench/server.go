package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a `lamina serve`.
type server struct {
	url   string
	data  string // folder
	cmd   *exec.Cmd
	took  time.Duration // from the start of the process until it was ready
	calls *http.Client
}

// serve starts a server on a fresh data folder.
func (b *bench) serve(args ...string) (*server, error) {
	data, err := os.MkdirTemp(b.work, "data-")
	if err != nil {
		return nil, err
	}
	return b.serveOn(data, args...)
}

func (b *bench) serveOn(data string, args ...string) (*server, error) {
	cmd := exec.Command(filepath.Join(b.root, "bin/lamina"), append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data, "--log-level", "error"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	s := &server{data: data, cmd: cmd, took: time.Since(began), calls: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "lamina is ready at ")
	if err != nil || !ok {
		s.stop()
		return nil, fmt.Errorf("the server said %q: %w", line, err)
	}
	s.url = url
	return s, nil
}

// stop ends the server, if it has not ended yet.
func (s *server) stop() error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	return s.cmd.Wait()
}

// memory is what the server has in memory: all of it, and what is its own.
func (s *server) memory() (resident, own int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			resident = n << 10
		case "RssAnon:":
			own = n << 10
		}
	}
	return resident, own, nil
}

// call makes a request of the API and wants that it succeeds.
func (s *server) call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := s.calls.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

func (s *server) publish(name string, zip []byte) (arn string, err error) {
	var out struct{ LayerVersionArn string }
	err = s.call("POST", "/2018-10-31/layers/"+name+"/versions", map[string]any{
		"Content": map[string]string{"ZipFile": base64.StdEncoding.EncodeToString(zip)},
	}, &out)
	return out.LayerVersionArn, err
}

// create creates a function and waits until it is Active.
func (s *server) create(name, runtime string, zip []byte, layers ...string) error {
	if err := s.createAs("arn:aws:iam::000000000000:role/any", name, runtime, zip, layers...); err != nil {
		return err
	}
	return s.active(name)
}

func (s *server) createAs(role, name, runtime string, zip []byte, layers ...string) error {
	in := map[string]any{
		"FunctionName": name, "Runtime": runtime, "Handler": "app.handler", "Role": role, "Timeout": 60, "MemorySize": 512,
		"Code": map[string]string{"ZipFile": base64.StdEncoding.EncodeToString(zip)},
	}
	if len(layers) > 0 {
		in["Layers"] = layers
	}
	return s.call("POST", "/2015-03-31/functions", in, nil)
}

func (s *server) active(name string) error {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var f struct{ State, StateReason string }
		if err := s.call("GET", "/2015-03-31/functions/"+name+"/configuration", nil, &f); err != nil {
			return err
		}
		switch f.State {
		case "Active":
			return nil
		case "Failed":
			return errors.New(f.StateReason)
		}
	}
	return fmt.Errorf("function %s does not become Active", name)
}

// invoke runs a function, and gives the time from the request to the whole answer.
func (s *server) invoke(name string, payload []byte) (time.Duration, error) {
	return post(s.calls, s.url+"/2015-03-31/functions/"+name+"/invocations", payload)
}

func post(c *http.Client, url string, payload []byte) (time.Duration, error) {
	began := time.Now()
	res, err := c.Post(url, "application/json", bytes.NewReader(payload))
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != 200 || res.Header.Get("X-Amz-Function-Error") != "" {
		return 0, fmt.Errorf("%d %s: %s", res.StatusCode, res.Header.Get("X-Amz-Function-Error"), b)
	}
	return took, nil
}
