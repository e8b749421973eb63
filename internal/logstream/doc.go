// Package logstream keeps what functions and the platform write to the log: it is a sink of telemetry events, and a reader
// of what it kept.
//
// A log group belongs to an account and region; a stream in it belongs to one execution environment. Each stream is a row
// of append-only files, its segments:
//
//	<Dir>/<partition>/<account>/<region>/<group>/<stream>.0000.jsonl
//
// The names of groups and streams come from strangers, so they are escaped, and long ones are replaced by their hash; the
// true ones are inside. The first line of a segment is a header, each other line a record:
//
//	{"group":"/aws/lambda/f","stream":"2026/11/24/[$LATEST]0123…"}
//	{"t":1764028800123456,"m":"START RequestId: … Version: $LATEST\n"}
//
// t is microseconds since 1970. A line that is torn, because the process or the machine died, is passed over.
//
// Consume only puts the event into a bounded queue in memory. One goroutine writes the queue to disk every few
// milliseconds, many events at a time, and opens the files that it needs and no more. What comes faster than it may is
// dropped and counted, and the stream says how much was lost.
package logstream
