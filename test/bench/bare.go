package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// bare is the least that an API can be: a process of its own in which net/http reads the body and answers with as many bytes
// as the path says.
type bare struct {
	url string
	cmd *exec.Cmd
}

// serveBare is that process: it prints its address, and serves until its standard input ends.
func serveBare() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.Header().Set("Content-Type", "application/json")
		w.Write(bytes.Repeat([]byte("x"), n))
	}))
	fmt.Println(l.Addr())
	io.Copy(io.Discard, os.Stdin)
}

func startBare() (*bare, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bare{cmd: exec.Command(self, "bare")}
	b.cmd.Stderr = os.Stderr
	if _, err := b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.stop()
		return nil, err
	}
	b.url = "http://" + strings.TrimSpace(line)
	return b, nil
}

func (b *bare) stop() {
	b.cmd.Process.Kill()
	b.cmd.Wait()
}
