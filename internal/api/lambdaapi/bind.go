package lambdaapi

import (
	"reflect"
	"strconv"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

// bind puts a validated input into its generated struct. The generator writes a shape's members and a struct's fields from
// the same list, so the n-th member is the n-th field.
func bind(s *shape, v *jsonstream.Value, dst reflect.Value) {
	for i := range s.members {
		x := v.Get(s.members[i].name)
		if x == nil || x.Kind == jsonstream.Null {
			continue
		}
		bindValue(s.members[i].shape, x, dst.Field(i))
	}
}

func bindValue(s *shape, v *jsonstream.Value, dst reflect.Value) {
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	switch s.kind {
	case kindString:
		dst.SetString(v.Text)
	case kindInteger, kindLong:
		n, _ := strconv.ParseInt(v.Text, 10, 64) // checkTypes has parsed it
		dst.SetInt(n)
	case kindDouble:
		n, _ := strconv.ParseFloat(v.Text, 64) // likewise
		dst.SetFloat(n)
	case kindBoolean:
		dst.SetBool(v.Bool)
	case kindStructure:
		bind(s, v, dst)
	case kindList:
		list := reflect.MakeSlice(dst.Type(), len(v.Items), len(v.Items))
		for i := range v.Items {
			bindValue(s.element, &v.Items[i], list.Index(i))
		}
		dst.Set(list)
	case kindMap:
		bindMap(s, v, dst)
	}
}

func bindMap(s *shape, v *jsonstream.Value, dst reflect.Value) {
	m := reflect.MakeMapWithSize(dst.Type(), len(v.Fields))
	for i := range v.Fields {
		x := reflect.New(dst.Type().Elem()).Elem()
		bindValue(s.element, &v.Fields[i].Value, x)
		m.SetMapIndex(reflect.ValueOf(v.Fields[i].Name), x)
	}
	dst.Set(m)
}
