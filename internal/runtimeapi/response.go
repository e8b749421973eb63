package runtimeapi

import (
	"net/http"
	"strconv"
	"strings"
)

const jsonType = "application/json"

// head renders the status line and headers of a response whose body has n bytes, with room for a body that is copied behind.
func head(status, n int, contentType string, headers ...string) []byte {
	room := 512
	if n <= joinBody {
		room += n
	}
	b := make([]byte, 0, room)
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

// nextResponse renders the headers that an invocation is delivered with.
func nextResponse(inv *Invocation) []byte {
	return head(http.StatusOK, len(inv.Payload), jsonType,
		"Lambda-Runtime-Aws-Request-Id", inv.RequestID,
		"Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.Deadline.UnixMilli(), 10),
		"Lambda-Runtime-Invoked-Function-Arn", inv.FunctionARN,
		"Lambda-Runtime-Trace-Id", inv.TraceID,
		"Lambda-Runtime-Client-Context", inv.ClientContext,
		"Lambda-Runtime-Cognito-Identity", inv.CognitoIdentity)
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
