package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// start measures how long an empty server needs until it is ready, and what it has in memory then.
func (b *bench) start() error {
	return b.starts("empty server", 100*time.Millisecond, 40_000_000, func() (*server, error) { return b.serve() })
}

func (b *bench) starts(what string, goal time.Duration, memory int64, serve func() (*server, error)) error {
	var took []time.Duration
	var resident []int64
	for range b.rounds(9) {
		s, err := serve()
		if err != nil {
			return err
		}
		all, _, err := s.memory()
		if err != nil {
			return err
		}
		took, resident = append(took, s.took), append(resident, all)
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.table.limit(what+": start to ready", median(took), goal)
	b.table.memory(what+": memory when ready", median(resident), memory)
	return nil
}

// state measures a server with 10,000 functions and 100,000 layer versions, with 8 clients.
func (b *bench) state() error {
	data, err := b.seed()
	if err != nil {
		return err
	}
	const what = "10,000 functions, 100,000 layer versions"
	if err := b.starts(what, 300*time.Millisecond, 150_000_000, func() (*server, error) { return b.serveOn(data) }); err != nil {
		return err
	}
	s, err := b.serveOn(data)
	if err != nil {
		return err
	}
	defer s.stop()
	e, err := startBare()
	if err != nil {
		return err
	}
	defer e.stop()
	if err := b.firstReads(s); err != nil {
		return err
	}
	for _, r := range []struct {
		what, path string
		rate       float64
		p99        time.Duration
	}{
		{"ListFunctions, 50", "/2015-03-31/functions/", 2000, 20 * time.Millisecond},
		{"ListLayers, 50", "/2018-10-31/layers", 0, 0},
	} {
		if err := b.reads(s, e, r.what, func() func() string { return walk(s, r.path) }, r.rate, r.p99); err != nil {
			return fmt.Errorf("%s: %w", r.what, err)
		}
	}
	for _, r := range []struct {
		what string
		path func() string
		rate float64
		p99  time.Duration
	}{
		{"GetFunction", func() string { return "/2015-03-31/functions/" + functionName(rand.IntN(manyFunctions)) }, 8000, 5 * time.Millisecond},
		{"GetFunctionConfiguration", func() string {
			return "/2015-03-31/functions/" + functionName(rand.IntN(manyFunctions)) + "/configuration"
		}, 8000, 5 * time.Millisecond},
		{"GetLayerVersion", func() string {
			return fmt.Sprintf("/2018-10-31/layers/%s/versions/%d", layerName(rand.IntN(manyLayers)), 1+rand.IntN(layerVersions))
		}, 0, 0},
		{"ListLayerVersions, 50", func() string { return "/2018-10-31/layers/" + layerName(rand.IntN(manyLayers)) + "/versions" }, 0, 0},
	} {
		if err := b.reads(s, e, r.what, func() func() string { return r.path }, r.rate, r.p99); err != nil {
			return fmt.Errorf("%s: %w", r.what, err)
		}
	}
	if err := b.publications(s, e, "publish 1 MB beside them", 3); err != nil {
		return err
	}
	resident, own, err := s.memory()
	if err != nil {
		return err
	}
	b.table.memory(what+": memory after these", resident, 150_000_000)
	b.table.note(what+": of it its own", megabytes(own), "", "")
	return nil
}

// firstReads asks for each function once: none is in memory yet.
func (b *bench) firstReads(s *server) error {
	const clients = 8
	times, took, err := all(clients, manyFunctions, func(i int) (time.Duration, error) {
		return timed(s.calls, s.url+"/2015-03-31/functions/"+functionName(i))
	})
	if err != nil {
		return err
	}
	b.table.note("GetFunction of each for the first time, a second, 8 clients", perSecond(manyFunctions/took.Seconds()), "", "")
	b.table.note("GetFunction of each for the first time, p99, 8 clients", ms(percentile(times, 99)), "", "")
	return nil
}

// walk gives paths from page to page of a list. The pages' markers are known before they are asked for in the measurement.
func walk(s *server, path string) func() string {
	pages := []string{path}
	for marker := ""; ; {
		var page struct{ NextMarker string }
		if err := s.call("GET", pages[len(pages)-1], nil, &page); err != nil || page.NextMarker == "" || page.NextMarker == marker {
			break
		}
		marker = page.NextMarker
		pages = append(pages, path+"?Marker="+url.QueryEscape(marker))
	}
	return func() string { return pages[rand.IntN(len(pages))] }
}

// reads asks for paths from 8 clients, in turns with a bare exchange of answers of the same size.
func (b *bench) reads(s *server, e *bare, what string, paths func() func() string, rate float64, p99 time.Duration) error {
	path := paths()
	body, err := get(s.calls, s.url+path())
	if err != nil {
		return err
	}
	same := fmt.Sprintf("%s/%d", e.url, len(body))
	ours, floor, err := b.turns(8,
		func() (time.Duration, error) { return timed(s.calls, s.url+path()) },
		func() (time.Duration, error) { return timed(s.calls, same) })
	if err != nil {
		return err
	}
	if rate == 0 {
		b.table.rate(what+" a second, 8 clients", ours.rate, floor.rate, 0)
		b.table.note(what+" p99, 8 clients", ms(ours.p99()), ms(floor.p99()), ratio(ours.p99(), floor.p99()))
		return nil
	}
	b.table.rate(what+" a second, 8 clients | bare exchange", ours.rate, floor.rate, rate)
	b.table.within(what+" p99, 8 clients | bare exchange", ours.p99(), floor.p99(), p99)
	return nil
}

// measured is what a side of a comparison has shown.
type measured struct {
	times []time.Duration
	rate  float64 // a second
}

func (m measured) p99() time.Duration { return percentile(m.times, 99) }

// turns measures two sides by turns, for some seconds in all, each warm.
func (b *bench) turns(clients int, ours, theirs func() (time.Duration, error)) (mine, floor measured, err error) {
	var sides [2]measured
	rates := [2][]float64{}
	for round := range b.rounds(6) + 1 {
		for i, f := range []func() (time.Duration, error){ours, theirs} {
			times, rate, err := load(clients, time.Second, f)
			if err != nil {
				return mine, floor, err
			}
			if round > 0 { // the first warms up
				sides[i].times, rates[i] = append(sides[i].times, times...), append(rates[i], rate)
			}
		}
	}
	for i := range sides {
		sides[i].rate = mean(rates[i])
	}
	return sides[0], sides[1], nil
}

func get(c *http.Client, url string) ([]byte, error) {
	res, err := c.Get(url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != 200 {
		err = fmt.Errorf("%s: %d %s", url, res.StatusCode, bytes.TrimSpace(body))
	}
	return body, err
}

// timed gives the time from the request to the whole answer.
func timed(c *http.Client, url string) (time.Duration, error) {
	began := time.Now()
	res, err := c.Get(url)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	took := time.Since(began)
	if err == nil && res.StatusCode != 200 {
		err = fmt.Errorf("%s: %d", url, res.StatusCode)
	}
	return took, err
}
