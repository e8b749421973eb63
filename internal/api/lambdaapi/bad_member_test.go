package lambdaapi_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
)

// bad is a value that a member is given.
type bad struct {
	what, json string
	broken     bool // it is not of the member's type
}

// oddTexts are texts that names, ARNs, paths and databases may stumble over.
var oddTexts = []string{"", " ", "a b", "\x00", "a\x00b", "ü", "\U0001f600", "../../etc/passwd", "a/b", "a%2fb", "%", ":", "::::::::", "arn:", "arn:aws:lambda",
	"arn:aws:lambda:us-east-1:000000000000:function:", "arn:aws:lambda:us-east-1:000000000000:function:f:live:x", "arn:aws:lambda:eu-west-1:000000000000:function:f",
	"arn:aws:lambda:us-east-1:111111111111:function:f", "arn:aws:lambda:us-east-1:000000000000:f:1", "arn:aws:lambda:us-east-1:000000000000:layer:libs",
	"arn:aws:lambda:us-east-1:000000000000:layer:libs:99999999999999999999", "arn:aws:lambda:::awslayer:x", "arn:aws:s3:::bucket", "arn:aws:sqs:us-east-1:000000000000:q",
	"$LATEST", "$latest", "$LATEST.PUBLISHED", "f:1", "f:$LATEST", "0", "-1", "1", "00001", "99999999999999999999", "1e3", "NaN", "true", "null", "' OR 1=1 --", "\u202e", "\ufeff",
	"*", "?", "#", "\r\n", "ALL"}

// badValues gives values for the type of a member that lies so deep: of other types, beyond its bounds, against its pattern,
// deep, and odd. Of the odd ones it is every so many, another choice at each turn.
func badValues(s lambdaapi.Shape, depth, every, turn int) []bad {
	text := func(what, v string) bad {
		b, _ := json.Marshal(v)
		return bad{what, string(b), false}
	}
	list := []bad{{"null", "null", false}}
	for name, v := range map[string]string{"String": `"x"`, "number": "7", "Boolean": "true", "List": "[]", "Map": "{}", "fraction": "1.5", "huge number": "1e400",
		"beyond int": "2147483648", "beyond long": "9223372036854775808", "most negative": "-9223372036854775808", "a zero that is not": "-0"} {
		list = append(list, bad{name, v, true})
	}
	slices.SortFunc(list, func(a, b bad) int { return strings.Compare(a.what, b.what) })
	least, most := s.Bounds()
	switch s.Kind() {
	case "String":
		for i, odd := range oddTexts {
			if (i+turn)%every == 0 {
				list = append(list, text("odd text", odd))
			}
		}
		for _, v := range s.Enum() {
			list = append(list, text("enum value", v), text("enum value in another case", strings.ToUpper(v)+strings.ToLower(v)))
		}
		if most != nil {
			list = append(list, text("longest", strings.Repeat("a", int(min(*most, 1<<16)))), text("too long", strings.Repeat("a", int(min(*most, 1<<16))+1)))
		}
		list = append(list, bad{"lone surrogate", `"\ud800"`, true}, bad{"invalid UTF-8", "\"\xff\xfe\"", true}, bad{"escaped NUL", `"a\u0000b"`, false})
	case "Integer", "Long", "Double":
		for _, v := range []float64{-1, 0, 1, 2, 3, 50, 51, 128, 10240, 10241, math.MaxInt32} {
			list = append(list, bad{"number", fmt.Sprint(int64(v)), false})
		}
		for _, b := range []*float64{least, most} {
			if b != nil {
				list = append(list, bad{"below a bound", fmt.Sprint(int64(*b) - 1), false}, bad{"above a bound", fmt.Sprint(int64(*b) + 1), false})
			}
		}
	case "List":
		e := s.Element()
		list = append(list, bad{"a list with null", "[null]", false}, bad{"nested lists", "[[[[[]]]]]", true}, bad{"a list of many", "[" + strings.Repeat(`"x",`, 2000) + `"x"]`, true})
		for _, v := range badValues(e, depth+1, 8, turn) {
			list = append(list, bad{"a list with " + v.what, "[" + v.json + "]", v.broken})
		}
	case "Map":
		list = append(list, bad{"a map with an empty key", `{"":"x"}`, true}, bad{"a map with a NUL", `{"a\u0000":"x"}`, true}, bad{"a key twice", `{"a":"x","a":"y"}`, true})
		for _, v := range badValues(s.Element(), depth+1, 8, turn) {
			list = append(list, bad{"a map with " + v.what, `{"a":` + v.json + "}", v.broken})
		}
	case "structure":
		for _, m := range s.Members() {
			for _, v := range badValues(m.Shape, depth+1, 8, turn) {
				list = append(list, bad{m.Name + ": " + v.what, fmt.Sprintf("{%q:%s}", m.Name, v.json), v.broken})
			}
		}
	case "ByteBuffer":
		for _, v := range []string{"", "eA==", "UEsDBA==", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==", "====", "a", "eA==eA=="} {
			list = append(list, bad{"bytes", fmt.Sprintf("%q", v), true})
		}
	}
	if depth > 0 {
		return list
	}
	return append(list, bad{"deep lists", strings.Repeat("[", 1500) + strings.Repeat("]", 1500), true}, bad{"deep objects", strings.Repeat(`{"a":`, 1500) + "1" + strings.Repeat("}", 1500), true})
}

// names are the members whose every odd text is tried with every operation.
var names = map[string]bool{"FunctionName": true, "LayerName": true, "Qualifier": true, "Resource": true, "Arn": true, "Name": true, "CodeSigningConfigArn": true}

// TestBadMembers gives every member of every operation every bad value that its type has. No answer may be a fault of ours,
// and each error must be one that the operation has.
func TestBadMembers(t *testing.T) {
	g := newTarget(t)
	requests := 0
	for _, op := range lambdaapi.Routes {
		if !lambdaapi.Built(op.Name) {
			g.send(request(op, input(op), nil))
			continue
		}
		g.restore()
		for _, m := range lambdaapi.Members(op) {
			every := 3
			if names[m.Name] {
				every = 1
			}
			for _, v := range badValues(m.Shape, 0, every, requests) {
				raw := v.json
				if m.In != "body" {
					var text string
					if json.Unmarshal([]byte(v.json), &text) == nil {
						raw = text
					}
				}
				s := request(op, input(op), map[string]string{m.Name: raw})
				s.what, s.broken = m.Name+": "+v.what, v.broken
				g.send(s)
				requests++
			}
			members := input(op)
			delete(members, m.Name)
			s := request(op, members, nil)
			s.what, s.broken = "without "+m.Name, m.In == "payload"
			g.send(s)
			if op.Name == "DeleteFunction" || op.Name == "DeleteAlias" {
				g.restore()
			}
		}
	}
	if requests < 5000 {
		t.Errorf("only %d requests", requests)
	}
	t.Logf("%d requests", requests)
}
