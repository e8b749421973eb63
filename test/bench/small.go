package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// small measures publications of layers of 1 MB, each of other bytes, with 8 clients, against a bare exchange that reads the
// same requests.
func (b *bench) small() error {
	s, err := b.serve()
	if err != nil {
		return err
	}
	defer s.stop()
	e, err := startBare()
	if err != nil {
		return err
	}
	defer e.stop()
	return b.publications(s, e, "publish 1 MB", 6)
}

func (b *bench) publications(s *server, e *bare, what string, rounds int) error {
	const clients, batch = 8, 96
	var ours, floor []time.Duration
	var myTime, floorTime time.Duration
	count := 0
	for round := range b.rounds(rounds) + 1 {
		bodies, err := smallBodies(batch, uint64(round))
		if err != nil {
			return err
		}
		mine, took, err := all(clients, batch, func(i int) (time.Duration, error) {
			return send(s.calls, fmt.Sprintf("%s/2018-10-31/layers/small-%d/versions", s.url, i%clients), bodies[i], 201)
		})
		if err != nil {
			return err
		}
		theirs, floorTook, err := all(clients, batch, func(i int) (time.Duration, error) {
			return send(s.calls, e.url+"/600", bodies[i], 200)
		})
		if err != nil {
			return err
		}
		if round > 0 { // the first warms up
			ours, floor = append(ours, mine...), append(floor, theirs...)
			myTime, floorTime, count = myTime+took, floorTime+floorTook, count+batch
		}
	}
	b.table.rate(what+" a second, 8 clients | bare exchange", float64(count)/myTime.Seconds(), float64(count)/floorTime.Seconds(), 60)
	b.table.note(what+" p50, 8 clients", ms(median(ours)), ms(median(floor)), ratio(median(ours), median(floor)))
	b.table.note(what+" p99, 8 clients", ms(percentile(ours, 99)), ms(percentile(floor, 99)), ratio(percentile(ours, 99), percentile(floor, 99)))
	return nil
}

// smallBodies are requests that publish layers of 20 files which are half text and half noise, 1 MB as zips.
func smallBodies(n int, seed uint64) ([][]byte, error) {
	random := rand.New(rand.NewPCG(4566, seed))
	var bodies [][]byte
	for range n {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		for i := range 20 {
			f, err := w.Create(fmt.Sprintf("python/package/module%02d.py", i))
			if err != nil {
				return nil, err
			}
			noise := make([]byte, 50_000)
			for i := 0; i+8 <= len(noise); i += 8 {
				for j, v := 0, random.Uint64(); j < 8; j++ {
					noise[i+j] = byte(v >> (8 * j))
				}
			}
			if _, err := f.Write(append(noise, bytes.Repeat([]byte("def nothing(): pass  # and no more\n"), 1500)...)); err != nil {
				return nil, err
			}
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		body, err := json.Marshal(map[string]any{"Content": map[string]string{"ZipFile": base64.StdEncoding.EncodeToString(buf.Bytes())}})
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// all lets several clients do n things, and gives the time of each and of all together.
func all(clients, n int, f func(int) (time.Duration, error)) ([]time.Duration, time.Duration, error) {
	var (
		mu    sync.Mutex // guards the rest
		next  int
		times []time.Duration
		first error
		wg    sync.WaitGroup
	)
	began := time.Now()
	for range clients {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= n {
					return
				}
				took, err := f(i)
				mu.Lock()
				times = append(times, took)
				if err != nil && first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return times, time.Since(began), first
}

func send(c *http.Client, url string, body []byte, want int) (time.Duration, error) {
	began := time.Now()
	res, err := c.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	took := time.Since(began)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("%s: %d %s", url, res.StatusCode, answer)
	}
	return took, err
}
