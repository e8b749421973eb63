// Package runtimeapi is the Runtime API, version 2018-06-01, of one execution environment: the HTTP server that the
// runtime inside the sandbox asks for events and sends answers to.
//
// The runtime drives the server through these states, whose names it reads in error messages:
//
//	Started ──GET next──▶ Ready ──Invoke──▶ Running ──POST response──▶ InvocationResponse ──body read──▶ RuntimeResponseSentState
//	   │                    ▲                  │ └────POST error─────▶ InvocationErrorResponse ──body read──────┐  │
//	   │                    │                  └─GET next: the same event again                              ▼  ▼
//	   │                    └───────────────────────────────────GET next───────────────────────────────────────┘
//	   └─POST init/error──▶ InitError (only Reset leads out of it)
//
// The owner of the environment calls Invoke and watches Changed; whatever happened is in Status, so nothing is lost when
// several things happen between two looks.
//
// A runtime that waits in GET next costs one goroutine, which sleeps in a read of its connection. Invoke writes the event
// to that connection itself, from the caller's goroutine, since waking threads is what a warm invocation costs; the
// sleeper notices a client that went away, and reads the answer. The server speaks HTTP/1.1 itself, around net/http's
// parser, with one write for each response. When a client pipelines its answer and the next GET in one send, the 202 of
// the first travels together with the next event.
package runtimeapi
