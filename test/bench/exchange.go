package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// exchange is the minimal thing that lamina's warm path is compared with, in a process of its own: a front of net/http
// that gives each event to a waiting worker over a second net/http server, which speaks just enough of the Runtime API for
// lamina's python loop. No function, no version, no log, no sandbox.
type exchange struct {
	url     string
	front   *exec.Cmd
	workers []*exec.Cmd
	calls   *http.Client
}

// serveExchange is the other process: it prints the addresses of front and worker side, and serves until its standard
// input ends.
func serveExchange() {
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	b := &broker{waiting: make(chan chan *event, 64)}
	go http.Serve(front, http.HandlerFunc(b.front))
	go http.Serve(api, http.HandlerFunc(b.api))
	fmt.Println(front.Addr(), api.Addr())
	io.Copy(io.Discard, os.Stdin)
}

// event is a request on its way to a worker.
type event struct {
	id      string
	payload []byte
	answer  chan []byte
}

type broker struct {
	waiting chan chan *event
	count   atomic.Int64
	running [1 << 16]atomic.Pointer[event]
}

func (b *broker) front(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	n := b.count.Add(1)
	e := &event{id: strconv.FormatInt(n, 10), payload: payload, answer: make(chan []byte, 1)}
	b.running[n%int64(len(b.running))].Store(e)
	worker := <-b.waiting
	worker <- e
	answer := <-e.answer
	w.Header().Set("Content-Type", "application/json")
	w.Write(answer)
}

func (b *broker) api(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		mine := make(chan *event, 1)
		b.waiting <- mine
		e := <-mine
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", e.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:f")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000")
		h.Set("Content-Type", "application/json")
		w.Write(e.payload)
		return
	}
	parts := strings.Split(r.URL.Path, "/")
	n, _ := strconv.ParseInt(parts[len(parts)-2], 10, 64)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.WriteHeader(http.StatusAccepted)
	b.running[n%int64(len(b.running))].Load().answer <- body
}

// startExchange starts the process and its workers.
func (b *bench) startExchange(workers int, handler string) (*exchange, error) {
	runtime, err := b.bootstrapFolder()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e := &exchange{front: exec.Command(self, "exchange"), calls: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	e.front.Stderr = os.Stderr
	if _, err := e.front.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.front.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.front.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		e.stop()
		return nil, err
	}
	addrs := strings.Fields(line)
	e.url = "http://" + addrs[0]
	for range workers {
		w := exec.Command(b.python.path, filepath.Join(runtime, "bootstrap.py"))
		w.Env = []string{"PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "AWS_LAMBDA_RUNTIME_API=" + addrs[1],
			"_HANDLER=app.handler", "LAMBDA_TASK_ROOT=" + handler, "LAMBDA_RUNTIME_DIR=" + runtime,
			"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
			"AWS_LAMBDA_LOG_GROUP_NAME=g", "AWS_LAMBDA_LOG_STREAM_NAME=s", "AWS_REGION=us-east-1"}
		w.Stderr = os.Stderr
		if err := w.Start(); err != nil {
			e.stop()
			return nil, err
		}
		e.workers = append(e.workers, w)
	}
	return e, nil
}

func (e *exchange) stop() {
	for _, p := range append(e.workers, e.front) {
		p.Process.Kill()
		p.Wait()
	}
}
