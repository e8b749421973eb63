package node

import (
	"embed"
	"os"
	"path/filepath"
	"sync"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
	"github.com/laminadev/lamina/internal/sandbox"
)

//go:embed runtime
var runtimeFiles embed.FS

var (
	bootstrap       = interpreter.Bootstrap{Files: runtimeFiles}
	bootstrapDigest = sync.OnceValues(bootstrap.Digest)
)

// certificates is where a sandbox has the host's certificate authorities; on AWS they are a file of the runtime.
const certificates = "/etc/pki/tls/certs/ca-bundle.crt"

// Runtime gives the folder of the bootstrap, which is made once and never changed after that. A folder with its final name
// is complete.
func (h *Host) Runtime() (string, error) {
	d, err := bootstrapDigest()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(h.dir, "bootstraps", d.Hex()[:16])
	if interpreter.IsDir(dir) {
		return dir, nil
	}
	return dir, interpreter.Make(dir, writeRuntime)
}

// writeRuntime writes the bootstrap's files into a folder, for every user to read.
func writeRuntime(dir string) error {
	if err := bootstrap.Write(dir); err != nil {
		return err
	}
	if err := os.Symlink(certificates, filepath.Join(dir, "ca-cert.pem")); err != nil {
		return err
	}
	return interpreter.WorldReadable(dir)
}

// Mounts show an interpreter at AWS's places, with the bootstrap in the folder runtime and the SDK in the folder sdk, if any.
func Mounts(in Interpreter, runtime, sdk string) []sandbox.Mount {
	lowers := []string{runtime}
	if sdk != "" {
		lowers = append(lowers, sdk)
	}
	mounts := []sandbox.Mount{
		{Target: "/var/lang/bin/node", Bind: in.Path},
		{Target: "/var/runtime", Overlay: lowers},
	}
	return append(mounts, hidden(in)...)
}

// distribution are the folders of packages that a distribution installs for every program, and which its node searches.
var distribution = []string{"/usr/lib/nodejs", "/usr/share/nodejs"}

// hidden masks the host's packages: a function that finds one here would not find it on AWS. A distribution's own node is
// partly made of them and needs them.
func hidden(in Interpreter) []sandbox.Mount {
	if in.split() {
		return nil
	}
	var mounts []sandbox.Mount
	for _, dir := range distribution {
		if interpreter.IsDir(dir) {
			mounts = append(mounts, sandbox.Mount{Target: dir, Empty: true})
		}
	}
	return mounts
}
