package runtimeapi

import (
	"net/http"
	"strconv"
	"strings"
)

const jsonType = "application/json"

// appendHead renders the status line and headers of a response whose body has n bytes.
func appendHead(b []byte, status, n int, contentType string, headers ...string) []byte {
	if cap(b) == 0 {
		b = make([]byte, 0, 1024)
	}
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	b = append(b, "\r\n"...)
	if contentType != "" {
		b = appendHeader(b, "Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			b = appendHeader(b, headers[i], headers[i+1])
		}
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, "\r\n\r\n"...)
}

// writeNext delivers an invocation. The caller holds wmu.
func (c *conn) writeNext(inv *Invocation) error {
	c.held = appendHead(c.held, http.StatusOK, len(inv.Payload), jsonType,
		"Lambda-Runtime-Aws-Request-Id", inv.RequestID,
		"Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.Deadline.UnixMilli(), 10),
		"Lambda-Runtime-Invoked-Function-Arn", inv.FunctionARN,
		"Lambda-Runtime-Trace-Id", inv.TraceID,
		"Lambda-Runtime-Client-Context", inv.ClientContext,
		"Lambda-Runtime-Cognito-Identity", inv.CognitoIdentity)
	return c.writeLocked(inv.Payload, inv.Deadline)
}

func appendHeader(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	// Callers send some of these values. A line break ends a header; in JSON it is as good as a blank.
	if strings.ContainsAny(value, "\r\n\x00") {
		value = lineBreaks.Replace(value)
	}
	b = append(b, value...)
	return append(b, "\r\n"...)
}

var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ")
