// Package runtimetest is what the tests of our bootstraps share, whatever their language: a Runtime API that hands out what a
// test gives it, one that is spoken to the letter, and the process between them.
package runtimetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const prefix = "/2018-06-01/runtime/"

// Event is what an API hands out.
type Event struct {
	Body    string
	Headers map[string]string
}

// Post is what it was sent: the path below /runtime/, the header with the error type, the content type, the body, and
// the header with X-Ray's cause.
type Post struct {
	Path, ErrorType, ContentType, Body, Cause string
}

// API is a Runtime API that hands out a list of events and keeps what it is sent.
type API struct {
	Address string
	Status  int           // of the answer to posts
	Idle    chan struct{} // closed when the runtime asks for more than there is

	mu     sync.Mutex
	events []Event
	given  int
	posts  []Post
}

// NewAPI starts an API, which ends with the test.
func NewAPI(t *testing.T, events ...Event) *API {
	a := At("")
	a.events, a.Status = events, http.StatusAccepted
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"invocation/next", a.next)
	mux.HandleFunc("POST "+prefix, a.post)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	a.Address = strings.TrimPrefix(server.URL, "http://")
	return a
}

// At stands for an API that the test itself serves at an address, or that is not there. The test closes Idle.
func At(address string) *API { return &API{Address: address, Idle: make(chan struct{})} }

// Given is how many events the runtime took.
func (a *API) Given() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.given
}

func (a *API) next(w http.ResponseWriter, r *http.Request) {
	e, id, ok := a.take()
	if !ok {
		<-r.Context().Done()
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("0000-%d", id))
	h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:fn")
	h.Set("Content-Length", fmt.Sprint(len(e.Body)))
	for k, v := range e.Headers {
		h.Set(k, v)
	}
	io.WriteString(w, e.Body)
}

// take gives the next event and its number, from 1; when there is none, the API is idle.
func (a *API) take() (e Event, id int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.events) == 0 {
		select {
		case <-a.Idle:
		default:
			close(a.Idle)
		}
		return Event{}, 0, false
	}
	e, a.events = a.events[0], a.events[1:]
	a.given++
	return e, a.given, true
}

func (a *API) post(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.posts = append(a.posts, Post{strings.TrimPrefix(r.URL.Path, prefix),
		r.Header.Get("Lambda-Runtime-Function-Error-Type"), r.Header.Get("Content-Type"), string(b), r.Header.Get("Lambda-Runtime-Function-XRay-Error-Cause")})
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	io.WriteString(w, `{"status":"OK"}`)
}
