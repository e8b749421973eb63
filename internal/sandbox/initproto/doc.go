// Package initproto is the language between the server and lamina-init, the helper that is PID 1 of every sandbox.
//
// They speak over one end each of a SOCK_SEQPACKET socket pair; the helper's is descriptor 3. A packet is one message: a
// verb (one byte), a sequence number (uvarint) and a body, with descriptors beside it (SCM_RIGHTS). Numbers are
// uvarints; strings and byte strings are a length and bytes; lists are a count and items.
//
// The life of a connection:
//
//	helper -> server   Cloned         only from one that was told to clone itself
//	server -> helper   IDs            only to a helper that was told to await them (AwaitIDs)
//	helper -> server   Hello          the part of the root that is the same for every sandbox stands (or a Failure)
//	server -> helper   Mounts …       parts of the root, in order; the descriptors are the trees that parts name
//	server -> helper   Setup          limits, /tmp, addresses; the helper finishes the root; the
//	                   descriptors are those of cgroups
//	helper -> server   Reply          carries a descriptor of the sandbox's /proc folder
//	server -> helper   Mounts …, Finish   only when Setup left the root open, which may be used already: the rest of it
//	server -> helper   Listen, Connect, Spawn, Signal, KillAll, Status: each gets one Reply with its sequence number
//	helper -> server   Exit           unasked: a spawned process ended; never before the Reply to its Spawn
//
// A helper may wait between Hello and the first Mounts for as long as it likes: that is a prepared sandbox. When either
// side closes the socket, the helper exits, and the kernel kills everything in its PID namespace.
package initproto
