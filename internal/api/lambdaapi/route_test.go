package lambdaapi

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	router := newRouter(Routes[:])
	for _, row := range []struct {
		method, url, operation string
		values                 []string
	}{
		{"GET", "/2018-10-31/layers", "ListLayers", nil},
		{"GET", "/2018-10-31/layers?find=LayerVersion&Arn=a", "GetLayerVersionByArn", nil},
		{"GET", "/2018-10-31/layers?Arn=a&find=LayerVersion", "GetLayerVersionByArn", nil},
		{"GET", "/2018-10-31/layers?find=Other", "ListLayers", nil},
		{"GET", "/2019-09-30/functions/f/provisioned-concurrency", "GetProvisionedConcurrencyConfig", []string{"f"}},
		{"GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", "ListProvisionedConcurrencyConfigs", []string{"f"}},
		{"PUT", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", "PutProvisionedConcurrencyConfig", []string{"f"}},
		{"GET", "/2015-03-31/functions/", "ListFunctions", nil},
		{"GET", "/2015-03-31/functions/arn:aws:lambda:f", "GetFunction", []string{"arn:aws:lambda:f"}},
		{"GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Af", "GetFunction", []string{"arn:aws:lambda:f"}},
		{"GET", "/2015-03-31/functions/a%2Fb/configuration", "GetFunctionConfiguration", []string{"a/b"}},
		{"DELETE", "/2018-10-31/layers/l/versions/3/policy/s", "RemoveLayerVersionPermission", []string{"l", "3", "s"}},
		{"GET", "/2018-10-31/layers//versions", "", nil},
		{"POST", "/2015-03-31/functions//invocations", "", nil},
		{"PATCH", "/2015-03-31/functions/f", "", []string{"f"}},
		{"GET", "/2015-03-31", "", nil},
		{"GET", "/2015-03-31/functions/f/nothing", "", nil},
		{"GET", "/", "", nil},
	} {
		u, err := url.Parse("http://h" + row.url)
		if err != nil {
			t.Fatal(err)
		}
		op, values := router.find(row.method, u)
		name := ""
		if op != nil {
			name = op.Name
		}
		if name != row.operation {
			t.Errorf("%s %s: got %s", row.method, row.url, name)
		}
		if diff := cmp.Diff(row.values, values); op != nil && diff != "" {
			t.Errorf("%s %s: -want +got\n%s", row.method, row.url, diff)
		}
	}
}

// bind relies on the n-th member of a shape being the n-th field of its struct.
func TestStructsFollowTheirShapes(t *testing.T) {
	for s, v := range map[*shape]any{
		&shapePublishLayerVersionRequest: PublishLayerVersionRequest{}, &shapeGetLayerVersionRequest: GetLayerVersionRequest{},
		&shapeGetLayerVersionByArnRequest: GetLayerVersionByARNRequest{}, &shapeListLayersRequest: ListLayersRequest{},
		&shapeListLayerVersionsRequest: ListLayerVersionsRequest{}, &shapeDeleteLayerVersionRequest: DeleteLayerVersionRequest{},
		&shapeCreateFunctionRequest: CreateFunctionRequest{}, &shapeGetFunctionRequest: GetFunctionRequest{},
		&shapeGetFunctionConfigurationRequest: GetFunctionConfigurationRequest{}, &shapeListFunctionsRequest: ListFunctionsRequest{},
		&shapeUpdateFunctionCodeRequest: UpdateFunctionCodeRequest{}, &shapeDeleteFunctionRequest: DeleteFunctionRequest{},
		&shapeUpdateFunctionConfigurationRequest: UpdateFunctionConfigurationRequest{}, &shapeInvocationRequest: InvocationRequest{},
	} {
		checkStruct(t, s, reflect.TypeOf(v))
	}
}

func checkStruct(t *testing.T, s *shape, typ reflect.Type) {
	t.Helper()
	if typ.NumField() != len(s.members) {
		t.Errorf("%s has %d fields for %d members", typ, typ.NumField(), len(s.members))
		return
	}
	for i, m := range s.members {
		f := typ.Field(i)
		if f.Tag.Get("json") != "-" && f.Tag.Get("json") != m.name && f.Tag.Get("json") != m.name+",omitzero" {
			t.Errorf("%s.%s stands for %s", typ, f.Name, m.name)
		}
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		below := m.shape
		for below.kind == kindList {
			below = below.element
		}
		if below.kind == kindStructure {
			checkStruct(t, below, inner)
		}
	}
}

// Patterns are compiled when they are first needed; none may fail then.
func TestEveryPatternCompiles(t *testing.T) {
	seen := map[*shape]bool{}
	var walk func(*shape)
	walk = func(s *shape) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if s.pattern != nil {
			s.pattern.matches("")
		}
		walk(s.key)
		walk(s.element)
		for i := range s.members {
			walk(s.members[i].shape)
		}
	}
	for i := range Routes {
		walk(Routes[i].input)
	}
	if len(seen) < 200 {
		t.Errorf("only %d shapes were reached", len(seen))
	}
}
