// Package control manages functions and layer versions: the operations of AWS Lambda that change or show them.
//
// The front door has read the request and checked its members against the service model; control checks what a value means
// and answers with AWS's texts. It knows kinds of error, never exceptions or statuses.
//
// # A change
//
// Bytes come before the record, and the record before the answer: a zip is staged, verified and stored (layerstore.Import)
// before the catalog hears of it. Whatever an operation answers, it has then committed or discarded the staged zip that it
// was given. A zip that was stored for a change that was refused afterwards stays without a name until it is collected.
//
// # States
//
// Every change of a function's code or configuration writes a new immutable revision, with the digests of its zips, the
// ordered list of layers and the map of what they shadow, so that nothing has to be looked up when it runs:
//
//	CreateFunction ──► Pending ──► Active, Successful ◄─┐
//	                      └──► Failed                    │
//	Update…        ──► (state as it was), InProgress ────┤
//	                                  └──► (state as it was), Failed
//
// The way out of Pending and InProgress is work in the background: the revision's trees are made mountable on this machine.
// Each arrow gives the function a new RevisionID. What a crash interrupts is Unsettled in the catalog and taken up by the next
// Start. While a change is under way the next one is refused with kind Conflict.
package control
