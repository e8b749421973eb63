// Command service is a small URL shortener: the service on the host that the example's function calls. It keeps links in
// memory, speaks the protocol of a Null Pointer instance (POST a form with "shorten", get the short link as text), and
// forwards whoever opens a short link.
//
//	service [ADDRESS]    listens on ADDRESS (default 127.0.0.1:0) and prints the address that it listens on
package main

import (
	"fmt"
	"hash/fnv"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
)

func main() {
	addr := "127.0.0.1:0"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.Addr())
	log.Fatal(http.Serve(l, &shortener{base: "http://" + l.Addr().String()}))
}

type shortener struct {
	base string

	// mu guards links.
	mu    sync.Mutex
	links map[string]string // short name to URL
}

func (s *shortener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		s.shorten(w, r)
		return
	}
	s.mu.Lock()
	url, ok := s.links[r.URL.Path[1:]]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, url, http.StatusFound)
}

func (s *shortener) shorten(w http.ResponseWriter, r *http.Request) {
	url := r.FormValue("shorten")
	if url == "" {
		http.Error(w, "the form has no member shorten", http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s/%s\n", s.base, s.name(url))
}

// name gives the URL its name: the same URL always the same, and another one when that is taken.
func (s *shortener) name(url string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links == nil {
		s.links = map[string]string{}
	}
	h := fnv.New32a()
	h.Write([]byte(url))
	for n := h.Sum32(); ; n++ {
		name := strconv.FormatUint(uint64(n), 36)
		if old, taken := s.links[name]; !taken || old == url {
			s.links[name] = url
			return name
		}
	}
}
