package sqlcatalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/laminadev/lamina/internal/database"
)

// encode gives the JSON of a document column. Texts in it are held to the rule for texts in columns.
func encode(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("cannot encode %T: %w", v, err)
	}
	s := strings.TrimSuffix(b.String(), "\n")
	if hasNUL(s) {
		return "", database.CheckText("\x00")
	}
	return s, nil
}

// hasNUL reports whether a text in the JSON s holds a NUL, which JSON can only write as an escape.
func hasNUL(s string) bool {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			return false
		}
		if strings.HasPrefix(s[i:], `\u0000`) {
			return true
		}
		s = s[i+2:] // an escape is never the end of a text
	}
}

// encodeList keeps apart a list that was not sent (NULL) and an empty one.
func encodeList(list []string) (*string, error) {
	if list == nil {
		return nil, nil
	}
	s, err := encode(list)
	return &s, err
}

// encodeTags gives NULL for no tags.
func encodeTags(tags map[string]string) (*string, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	s, err := encode(tags)
	return &s, err
}

// document reads a JSON column into what it points to; NULL leaves it alone.
type document struct{ to any }

func (d document) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), d.to)
	case []byte:
		return json.Unmarshal(bytes.Clone(v), d.to)
	}
	return fmt.Errorf("cannot read a document from %T", v)
}
