package config_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/config"
)

func TestPrintedSettingsCanBeReadAgain(t *testing.T) {
	want := valid()
	want.Reach = []string{"127.0.0.1:8080", "[::1]:9"}
	want.Account = "000000000042"
	var b bytes.Buffer
	if err := want.WriteYAML(&b); err != nil {
		t.Fatal(err)
	}
	got, err := sources{env: home(), file: b.String()}.load(t)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	want.Database = want.DatabaseURL() // printed with its default filled in
	want.Host = nil
	got.Host = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPrintHidesPasswords(t *testing.T) {
	for _, url := range []string{"postgres://u:hunter2@h/d", "postgres://h/d?user=u&password=hunter2"} {
		c := valid()
		c.Database = url
		var text, obj bytes.Buffer
		if err := c.WriteYAML(&text); err != nil {
			t.Fatal(err)
		}
		if err := c.WriteJSON(&obj); err != nil {
			t.Fatal(err)
		}
		for _, printed := range []string{text.String(), obj.String()} {
			if strings.Contains(printed, "hunter2") || !strings.Contains(printed, "postgres://") {
				t.Errorf("got %s", printed)
			}
		}
	}
}

func TestJSONNamesEverySetting(t *testing.T) {
	var b bytes.Buffer
	if err := valid().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Settings() {
		if _, ok := got[s.Name]; !ok {
			t.Errorf("%s is missing", s.Name)
		}
	}
}
