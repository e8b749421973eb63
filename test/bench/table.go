package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// table is what is printed: a row for each comparison.
type table struct{ rows []row }

type row struct {
	what         string
	ours, floor  string
	ratio        string
	goal, within string
}

// compare adds a row of times. The goal is a ratio to the floor, or an amount above it when extra is not 0.
func (t *table) compare(what string, ours, floor time.Duration, goal float64, extra time.Duration) {
	limit, said := time.Duration(float64(floor)*goal), fmt.Sprintf("≤ %.2g×", goal)
	if extra != 0 {
		limit, said = floor+extra, fmt.Sprintf("≤ floor + %d ms", extra.Milliseconds())
	}
	t.rows = append(t.rows, row{what, ms(ours), ms(floor), fmt.Sprintf("%.2f×", float64(ours)/float64(floor)), said, yes(ours <= limit)})
}

// note adds a row without a goal.
func (t *table) note(what, ours, floor, ratio string) {
	t.rows = append(t.rows, row{what, ours, floor, ratio, "", ""})
}

// atLeast adds a row of rates whose goal is a ratio to the floor.
func (t *table) atLeast(what string, ours, floor, goal float64) {
	t.rows = append(t.rows, row{what, perSecond(ours), perSecond(floor), fmt.Sprintf("%.2f×", ours/floor), fmt.Sprintf("≥ %.2g×", goal), yes(ours >= goal*floor)})
}

// limit adds a row of a time with a fixed goal.
func (t *table) limit(what string, ours, goal time.Duration) {
	t.rows = append(t.rows, row{what, ms(ours), "", "", "≤ " + ms(goal), yes(ours <= goal)})
}

// rate adds a row of amounts in a second. goal is absolute, 0 when there is none.
func (t *table) rate(what string, ours, floor, goal float64) {
	if goal == 0 {
		t.note(what, perSecond(ours), perSecond(floor), fmt.Sprintf("%.2f×", ours/floor))
		return
	}
	t.rows = append(t.rows, row{what, perSecond(ours), perSecond(floor), fmt.Sprintf("%.2f×", ours/floor), "≥ " + perSecond(goal), yes(ours >= goal)})
}

// within adds a row of a time beside another one, with a fixed goal.
func (t *table) within(what string, ours, floor, goal time.Duration) {
	t.rows = append(t.rows, row{what, ms(ours), ms(floor), ratio(ours, floor), "≤ " + ms(goal), yes(ours <= goal)})
}

// memory adds a row of bytes.
func (t *table) memory(what string, ours, goal int64) {
	t.rows = append(t.rows, row{what, megabytes(ours), "", "", "≤ " + megabytes(goal), yes(ours <= goal)})
}

func perSecond(f float64) string { return fmt.Sprintf("%.0f/s", f) }

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func (t *table) print(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "MEDIAN OF\tLAMINA\tFLOOR\tRATIO\tGOAL\tREACHED")
	for _, r := range t.rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", r.what, r.ours, r.floor, r.ratio, r.goal, r.within)
	}
	tw.Flush()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "NO"
}

func ms(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func median[T cmp.Ordered](all []T) T { return percentile(all, 50) }

func percentile[T cmp.Ordered](all []T, p int) T {
	if len(all) == 0 {
		var none T
		return none
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}
