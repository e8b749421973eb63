package telemetry

import (
	"encoding/json"
	"strings"
	"time"
)

// Line renders an event as the function's configuration wants its log: as Text, or as a JSON object in a line of its own;
// "" for events that leave no line there, or whose level is too low.
//
// In JSON the platform's events are AWS's records, and what a function prints is kept when it is a JSON object and else
// wrapped in one. The level of an object is in its member "level"; everything else counts as INFO, but for the errors that
// AWS's Python client logs: theirs is in "log_level".
func Line(e Event) string {
	if !InJSON(e.Source) {
		return Text(e)
	}
	logging := e.Source.Revision.Config.Logging
	if text, ok := e.Record.(string); ok {
		return applicationLine(e, strings.TrimRight(text, "\r\n"), levelOf(logging.ApplicationLogLevel))
	}
	if e.Type == TypeEnd || systemLevel(e.Record) < levelOf(logging.SystemLogLevel) {
		return ""
	}
	return object(struct {
		Time   string `json:"time"`
		Type   Type   `json:"type"`
		Record any    `json:"record"`
	}{FormatTime(e.Time), e.Type, e.Record})
}

// InJSON reports whether a source's function logs in JSON.
func InJSON(s *Source) bool {
	return s != nil && s.Revision != nil && s.Revision.Config.Logging.LogFormat == "JSON"
}

func applicationLine(e Event, text string, least level) string {
	if e.Type == TypeFault {
		return wrap(e.Time, "ERROR", text, e.RequestID)
	}
	if !strings.HasPrefix(strings.TrimLeft(text, " \t"), "{") || !json.Valid([]byte(text)) {
		if levelInfo < least {
			return ""
		}
		return wrap(e.Time, "INFO", text, e.RequestID)
	}
	if objectLevel(text) < least {
		return ""
	}
	return text + "\n"
}

// objectLevel gives the level of a JSON object. log_level only raises it: no function's own object is lost by that.
func objectLevel(text string) level {
	var members struct {
		Level    any `json:"level"`
		LogLevel any `json:"log_level"`
	}
	_ = json.Unmarshal([]byte(text), &members) // the caller knows that it is JSON
	if members.Level != nil {
		name, _ := members.Level.(string) // a level that is no string is none
		return levelOf(name)
	}
	name, _ := members.LogLevel.(string)
	return max(levelInfo, levelOf(name))
}

func wrap(t time.Time, level, message, requestID string) string {
	return object(struct {
		Timestamp string `json:"timestamp"`
		Level     string `json:"level"`
		Message   string `json:"message"`
		RequestID string `json:"requestId,omitempty"`
	}{FormatTime(t), level, message, requestID})
}

func object(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // records are structs of strings and finite numbers
	}
	return b.String()
}

// level orders AWS's log levels.
type level int

const (
	levelTrace level = iota
	levelDebug
	levelInfo
	levelWarn
	levelError
	levelFatal
)

// levelOf reads a level; what is none is INFO.
func levelOf(name string) level {
	switch strings.ToUpper(name) {
	case "TRACE":
		return levelTrace
	case "DEBUG":
		return levelDebug
	case "WARN", "WARNING":
		return levelWarn
	case "ERROR":
		return levelError
	case "FATAL", "CRITICAL":
		return levelFatal
	}
	return levelInfo
}

// systemLevel is the level that AWS gives a record of the platform.
func systemLevel(record any) level {
	switch r := record.(type) {
	case *InitStart:
		return levelInfo
	case *InitRuntimeDone:
		return levelByStatus(r.Status, levelDebug)
	case *InitReport:
		return levelByStatus(r.Status, levelDebug)
	case *Start:
		return levelInfo
	case *RuntimeDone:
		return levelByStatus(r.Status, levelDebug)
	case *Report:
		return levelByStatus(r.Status, levelInfo)
	}
	return levelDebug
}

func levelByStatus(status string, success level) level {
	if status == StatusSuccess {
		return success
	}
	return levelWarn
}
