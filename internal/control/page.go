package control

import (
	"encoding/base64"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

// A marker says where the next page begins: after what was the last item of the page before. So a page neither repeats nor
// skips an item when others come and go between the calls. To the caller it is base64 that says nothing; inside is the kind
// of list and the item's place in it.
const (
	functionList     = "functions"
	layerList        = "layers"
	layerVersionList = "layer-versions"
	versionList      = "versions"
	aliasList        = "aliases"
	recordList       = "records"

	codeSigningList    = "code-signing-configs"
	signedFunctionList = "signed-functions"
)

func newMarker(list, place string) string {
	return base64.StdEncoding.EncodeToString([]byte(list + " " + place))
}

// readMarker gives the place, "" for the first page.
func readMarker(list, marker string) (string, error) {
	if marker == "" {
		return "", nil
	}
	b, err := base64.StdEncoding.DecodeString(marker)
	place, ok := strings.CutPrefix(string(b), list+" ")
	if err != nil || !ok || place == "" {
		return "", lambda.Errorf(lambda.Invalid, "Invalid marker: %s", marker)
	}
	return place, nil
}

// pageSize is how many items a page holds when the caller asks for limit of them.
func pageSize(limit int) int {
	if limit <= 0 {
		return lambda.MaxPageSize
	}
	return min(limit, lambda.MaxPageSize)
}

// cut makes a page of size items out of up to one more; marker is called with its last item when more follow.
func cut[T any](items []T, size int, marker func(last T) string) (page []T, next string) {
	if len(items) <= size {
		return items, ""
	}
	return items[:size], marker(items[size-1])
}
