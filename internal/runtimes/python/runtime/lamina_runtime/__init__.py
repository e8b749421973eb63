"""lamina's python runtime: it fetches events from the Runtime API, hands them to the function's handler, posts what comes out.

loop      the life of the process: import the handler, then event after event
client    HTTP/1.1 to the Runtime API
payload   JSON in and out
context   the handler's second argument
paths     sys.path as functions know it
lazy      what is only imported when somebody needs it
spare     a boot ahead of the function (imported when that is so)
sample    the handler that such a process runs once, to be warm
failure   error bodies and their log lines (imported on the first error)
logs      the root logger's handler (imported with logging)

A cold start pays for every import, so this package imports as little as it can, and no module of the standard library that
is not compiled into the interpreter or tiny. Python 3.8 to 3.14 run it.
"""
