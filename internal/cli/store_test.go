package cli_test

import (
	"os"
	"path/filepath"
	"testing"
)

// servedFolder is a data folder that a server has used.
func servedFolder(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, "--data", data)
	s.stop()
	if code := <-s.code; code != 0 {
		t.Fatalf("serve ended with %d: %s", code, s.errs)
	}
	return data
}

func TestGC(t *testing.T) {
	bare(t)
	data := servedFolder(t)
	run(t, "gc", "--data", data, "--dry-run").want(t, 0, "would free 0 B", "")
	run(t, "gc", "--data", data, "--format", "json").want(t, 0, `"Zips": 0`, "")
	run(t, "gc", "--data", data, "--age", "-1s").want(t, 2, "", "must not be negative")
	run(t, "gc", "--data", t.TempDir()).want(t, 1, "", "is no data folder of lamina")
}

func TestCheck(t *testing.T) {
	bare(t)
	data := servedFolder(t)
	run(t, "check", "--data", data).want(t, 0, "looked at 0 zips, 0 trees, 0 shared files: all is well", "")
	run(t, "check", "--data", data, "--format", "json").want(t, 0, `"Findings": []`, "")
	stray := filepath.Join(data, "trees/trees/stray")
	if err := os.Mkdir(stray, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "check", "--data", data).want(t, 1, "tree "+stray+": it is not ours\n          mend it: move it away\n", "not everything is as it should be")
	run(t, "check", "--data", data, "--format", "json").want(t, 1, `"Kind": "tree"`, "not everything")
}

func TestBackupAndRestore(t *testing.T) {
	bare(t)
	data, file, restored := servedFolder(t), filepath.Join(t.TempDir(), "b.tar"), filepath.Join(t.TempDir(), "restored")
	run(t, "backup", file, "--data", data).want(t, 0, "in "+file+", with 0 zips", "")
	run(t, "backup", file, "--data", data).want(t, 1, "", "is there already")
	run(t, "restore", file, "--data", restored, "--format", "json").want(t, 0, `"Zips": 0`, "")
	run(t, "check", "--data", restored).want(t, 0, "all is well", "")
	run(t, "restore", file, "--data", restored).want(t, 1, "", "is not empty")
	run(t, "restore", data+"/lock", "--data", restored+"2").want(t, 1, "", "it is no backup of lamina")
	run(t, "restore").want(t, 2, "", "its form is lamina restore FILE")
}
