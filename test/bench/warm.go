package main

import (
	"bytes"
	"fmt"
	"sync"
	"time"
)

// warm measures invocations that find an environment, against the minimal exchange, with 1 and with 8 clients.
func (b *bench) warm() error {
	handler, zipped, err := b.handler("warm", trivial)
	if err != nil {
		return err
	}
	s, err := b.serve()
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.create("warm", b.python.runtime, zipped); err != nil {
		return err
	}
	payload := []byte(`{"text":"` + string(bytes.Repeat([]byte("x"), 88)) + `"}`) // 100 bytes
	for _, clients := range []int{1, 8} {
		e, err := b.startExchange(clients, handler)
		if err != nil {
			return err
		}
		ours := func() (time.Duration, error) { return s.invoke("warm", payload) }
		theirs := func() (time.Duration, error) { return post(e.calls, e.url, payload) }
		err = b.warmRow(clients, ours, theirs)
		e.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) warmRow(clients int, ours, theirs func() (time.Duration, error)) error {
	slice := time.Second
	for _, f := range []func() (time.Duration, error){ours, theirs} { // everything warm
		if _, _, err := load(clients, slice/2, f); err != nil {
			return err
		}
	}
	var mine, floor []time.Duration
	var myRate, floorRate []float64
	for range b.rounds(6) {
		for _, side := range []struct {
			f     func() (time.Duration, error)
			times *[]time.Duration
			rates *[]float64
		}{{ours, &mine, &myRate}, {theirs, &floor, &floorRate}} {
			times, rate, err := load(clients, slice, side.f)
			if err != nil {
				return err
			}
			*side.times = append(*side.times, times...)
			*side.rates = append(*side.rates, rate)
		}
	}
	who := fmt.Sprintf("%d client", clients)
	if clients > 1 {
		who += "s"
	}
	if clients == 1 {
		b.table.compare("warm p50, "+who+" | minimal exchange", median(mine), median(floor), 1.2, 0)
	} else {
		b.table.note("warm p50, "+who, ms(median(mine)), ms(median(floor)), ratio(median(mine), median(floor)))
	}
	b.table.note("warm p99, "+who, ms(percentile(mine, 99)), ms(percentile(floor, 99)), ratio(percentile(mine, 99), percentile(floor, 99)))
	b.table.note("warm invocations/s, "+who, fmt.Sprintf("%.0f", mean(myRate)), fmt.Sprintf("%.0f", mean(floorRate)),
		fmt.Sprintf("%.2f×", mean(myRate)/mean(floorRate)))
	return nil
}

// load calls f from several clients at once for a time.
func load(clients int, length time.Duration, f func() (time.Duration, error)) ([]time.Duration, float64, error) {
	var (
		mu    sync.Mutex // guards the rest
		all   []time.Duration
		first error
	)
	began := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			var mine []time.Duration
			for time.Since(began) < length {
				d, err := f()
				if err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					return
				}
				mine = append(mine, d)
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return all, float64(len(all)) / time.Since(began).Seconds(), first
}

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f×", float64(a)/float64(b)) }

func mean(all []float64) float64 {
	sum := 0.0
	for _, f := range all {
		sum += f
	}
	return sum / float64(len(all))
}
