package lambdaapi

import (
	"math"
	"strconv"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

// checkTypes finds a value that is not of its shape's type; what it cannot find is left for validate.
func checkTypes(s *shape, v *jsonstream.Value) error {
	if v.Kind == jsonstream.Null {
		return nil
	}
	if v.Kind != s.kind.token() {
		if s.kind == kindTimestamp && v.Kind == jsonstream.String {
			return nil
		}
		return malformed("%s can not be converted to a %s", v.Kind, s.kind)
	}
	switch s.kind {
	case kindInteger, kindLong:
		return checkInteger(s, v.Text)
	case kindStructure:
		for i := range s.members {
			if x := v.Get(s.members[i].name); x != nil {
				if err := checkTypes(s.members[i].shape, x); err != nil {
					return err
				}
			}
		}
	case kindList:
		return checkElements(s, v)
	case kindMap:
		for i := range v.Fields {
			if err := checkTypes(s.element, &v.Fields[i].Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkElements(s *shape, v *jsonstream.Value) error {
	for i := range v.Items {
		if err := checkTypes(s.element, &v.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkInteger(s *shape, text string) error {
	bits, name := 64, "long"
	if s.kind == kindInteger {
		bits, name = 32, "int"
	}
	if _, err := strconv.ParseInt(text, 10, bits); err == nil {
		return nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n == math.Trunc(n) && math.Abs(n) < math.MaxInt32 {
		return malformed("DECIMAL_VALUE %s can not be converted to %s", text, name)
	}
	return malformed("Numeric value (%s) out of range of %s", text, name)
}

// token is the JSON that a shape is written as.
func (k kind) token() jsonstream.Kind {
	switch k {
	case kindString:
		return jsonstream.String
	case kindBoolean:
		return jsonstream.Bool
	case kindBlob:
		return jsonstream.Streamed
	case kindStructure, kindMap:
		return jsonstream.Object
	case kindList:
		return jsonstream.Array
	}
	return jsonstream.Number
}
