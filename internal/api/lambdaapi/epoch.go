package lambdaapi

import (
	"strconv"
	"time"
)

// Epoch is a moment that the API writes as seconds since 1970, with a fraction.
type Epoch time.Time

// MarshalJSON writes the seconds.
func (e Epoch) MarshalJSON() ([]byte, error) {
	ms := time.Time(e).UnixMilli()
	return strconv.AppendFloat(nil, float64(ms)/1000, 'f', -1, 64), nil
}

// iso writes a moment as the members that are strings have it: with milliseconds and the zone without a colon.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000+0000") }

// isoSeconds writes a moment as provisioned concurrency has it.
func isoSeconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+0000") }

// isoURL writes a moment as function URLs have it: in microseconds, of which we keep the milliseconds.
func isoURL(t time.Time) string {
	return time.UnixMilli(t.UnixMilli()).UTC().Format("2006-01-02T15:04:05.000000Z")
}
