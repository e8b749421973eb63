package api_test

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
)

// upload is the body of a request with a zip of so many base64 characters: what comes before it, and padding after it. It is
// made while it is sent.
func upload(before string, characters, padding int64) io.Reader {
	return io.MultiReader(strings.NewReader(before), io.LimitReader(repeat{}, characters), strings.NewReader(`"},"Padding":"`),
		io.LimitReader(repeat{}, padding), strings.NewReader(`"}`))
}

// repeat is the letter A without end.
type repeat struct{}

func (repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}

const (
	layerUpload    = `{"Content":{"ZipFile":"`
	functionUpload = `{"FunctionName":"new","Role":"` + role + `","Runtime":"python3.12","Handler":"h.h","Code":{"ZipFile":"`
	largest        = lambda.MaxZipSize / 3 * 4 // characters of a zip within the limit
)

func TestUploadLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("sends half a gigabyte")
	}
	s := newServer(t)
	const zipTooLarge = "Zipped size must be smaller than 52428800 bytes"
	for name, row := range map[string]struct {
		path, before        string
		characters, padding int64
		sized               bool // the request says its length
		status              int
		text                string
	}{
		"largest layer":           {layerPath, layerUpload, largest, 0, false, 400, "Could not unzip uploaded file. Please check your file, then try to upload again."},
		"layer too large":         {layerPath, layerUpload, largest + 8, 0, false, 413, zipTooLarge},
		"layer far too large":     {layerPath, layerUpload, largest + 20<<20, 0, true, 413, zipTooLarge},
		"layer request too large": {layerPath, layerUpload, 8, 70167211, false, 413, "Request must be smaller than 69905067 bytes for the PublishLayerVersion operation"},
		"function too large":      {functions, functionUpload, largest + 8, 0, true, 413, zipTooLarge},
		"request too large":       {functions, functionUpload, 8, 70167211, true, 413, "Request must be smaller than 70167211 bytes for the CreateFunction operation"},
		"request far too large":   {functions, functionUpload, 8, 80 << 20, false, 413, "Request must be smaller than 70167211 bytes for the CreateFunction operation"},
	} {
		body := upload(row.before, row.characters, row.padding)
		if row.sized { // a known length only comes with bytes that are there
			text, err := io.ReadAll(body)
			must(t, err)
			body = bytes.NewReader(text)
		}
		a := s.do(request{method: "POST", path: row.path, body: body})
		if a.status != row.status || a.body["message"] != row.text {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
		if exception := a.header.Get("x-amzn-ErrorType"); row.status == 413 {
			if diff := cmp.Diff(object{"message": row.text}, a.body); diff != "" || exception != "RequestEntityTooLargeException" {
				t.Errorf("%s: %s -want +got\n%s", name, exception, diff)
			}
		}
		if n := staged(t, s); n != 0 {
			t.Errorf("%s: %d staged zips are left", name, n)
		}
	}
}

// A zip goes to the disk while it arrives: what the whole exchange allocates does not depend on its size.
func TestUploadMemoryIsFlat(t *testing.T) {
	s := newServer(t)
	allocated := func(characters int64) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := s.do(request{method: "POST", path: layerPath, body: upload(layerUpload, characters, 0)})
		runtime.ReadMemStats(&after)
		if a.status != 400 {
			t.Fatalf("got %d %s", a.status, a.text)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(4) // what the first request allocates for all
	if small, large := allocated(4), allocated(largest); large > small+4<<20 {
		t.Errorf("a zip of %d bytes allocated %d bytes, one of 3 bytes %d", lambda.MaxZipSize, large, small)
	}
}

func TestLastZipFileCounts(t *testing.T) {
	s := newServer(t)
	a := s.do(request{method: "POST", path: layerPath, body: `{"Content":{"ZipFile":"eHh4","ZipFile":"eQ=="},"Content":{"ZipFile":"eg=="}}`})
	if a.status != 400 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if n := staged(t, s); n != 0 {
		t.Errorf("%d staged zips are left", n)
	}
}
