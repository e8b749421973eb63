package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

// probeScript is asked of every interpreter that is found: where are you, what are you made of?
const probeScript = `
const fs = require('fs');
const files = fs.readFileSync('/proc/self/maps', 'utf8').split('\n').map((line) => line.slice(line.indexOf('/')));
const libraries = [...new Set(files)].filter((file) => /\/[^/]*\.so[^/]*$/.test(file)).sort();
const [Major, Minor, Patch] = process.versions.node.split('.').map((part) => parseInt(part, 10));
console.log(JSON.stringify({
  Path: fs.realpathSync(process.execPath), Version: process.versions.node, Major, Minor, Patch, Libraries: libraries,
}));
`

// Look lets one file, which need not be where interpreters are looked for, describe itself, and fails when a sandbox could not
// run it.
func Look(ctx context.Context, path string) (in Interpreter, err error) {
	if err := interpreter.Describe(ctx, path, []string{"-e", probeScript}, nil, &in); err != nil {
		return in, err
	}
	if !slices.Contains(Majors, in.Major) {
		return in, fmt.Errorf("node %s is not a supported version", in.Version)
	}
	return in, interpreter.Usable(in.Path, in.Libraries)
}
