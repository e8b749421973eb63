package runtimes

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes/node"
)

// nodePath is the record of a node that Add got.
func (s *Set) nodePath(r lambda.Runtime) string {
	return filepath.Join(s.dir, "sdk", string(r)+".interpreter.json")
}

// listNode gives the nodejs runtimes: the host's, and those that were added.
func (s *Set) listNode(ctx context.Context) ([]Info, error) {
	found, err := s.node.All(ctx)
	if err != nil {
		return nil, err
	}
	here := map[int]node.Interpreter{}
	for _, in := range found {
		here[in.Major] = in
	}
	var infos []Info
	for _, major := range node.Majors {
		if in, ok := here[major]; ok {
			infos = append(infos, s.nodeInfo(in, "host"))
		} else if in, ok := s.addedNode(major); ok {
			infos = append(infos, s.nodeInfo(in, "added"))
		}
	}
	return infos, nil
}

func (s *Set) nodeInfo(in node.Interpreter, source string) Info {
	i := Info{Runtime: lambda.Runtime(in.Name()), Version: in.Version, Interpreter: in.Path, Source: source}
	if sdk, ok := s.installedSDK(i.Runtime); ok {
		i.SDK = sdk.Version
	}
	return i
}

// addedNode gives the node of a major that Add got, as far as its record tells.
func (s *Set) addedNode(major int) (node.Interpreter, bool) {
	in := node.Interpreter{Major: major}
	rec, ok := readRecord(s.nodePath(lambda.Runtime(in.Name())))
	in.Version = rec.Version
	return in, ok
}

func (s *Set) resolveNode(ctx context.Context, r lambda.Runtime) (*Runtime, error) {
	in, release, err := s.openNode(ctx, r)
	if err != nil {
		return nil, err
	}
	boot, err := s.node.Runtime()
	if err != nil {
		release()
		return nil, lambda.Errorf(lambda.BadRuntime, "The runtime %s cannot be prepared: %w", r, err)
	}
	sdk, releaseSDK, err := s.openSDK(ctx, r)
	if err != nil {
		release()
		return nil, err
	}
	command := func(env []string) []string { return node.Command(in.Major, env) }
	return &Runtime{
		Name:      r,
		Version:   in.Version,
		Mounts:    node.Mounts(in, boot, sdk),
		Bootstrap: command(nil),
		Env:       node.Env(in.Major),
		Release: func() {
			releaseSDK()
			release()
		},
		command: command,
	}, nil
}

// openNode gives the node of a runtime, the host's before one that was added, and holds it until release.
func (s *Set) openNode(ctx context.Context, r lambda.Runtime) (in node.Interpreter, release func(), err error) {
	major, err := nodeMajor(r)
	if err != nil {
		return in, nil, err
	}
	in, ok, err := s.node.Best(ctx, major)
	if err != nil {
		return in, nil, fmt.Errorf("cannot look for %s: %w", r, err)
	}
	if ok {
		return in, func() {}, nil
	}
	rec, ok := readRecord(s.nodePath(r))
	if !ok {
		return in, nil, lambda.Errorf(lambda.BadRuntime,
			"The runtime %[1]s is not on this machine: no node %[2]d was found on PATH, under nvm, or in /usr/bin. "+
				"Install it (for example `nvm install %[2]d`), or get it with `lamina runtime add %[1]s`, and invoke again.", r, major)
	}
	tree, err := s.store.Lower(ctx, rec.Content)
	if err != nil && ctx.Err() != nil {
		return in, nil, fmt.Errorf("cannot open %s: %w", r, ctx.Err())
	}
	if err != nil {
		return in, nil, lambda.Errorf(lambda.BadRuntime, "The runtime %[1]s cannot be opened: %[2]w; `lamina runtime add %[1]s` gets it again.", r, err)
	}
	return node.Interpreter{Path: filepath.Join(tree.Path, "bin/node"), Version: rec.Version, Major: major}, tree.Release, nil
}

func nodeMajor(r lambda.Runtime) (int, error) {
	major, err := node.Major(string(r))
	if err != nil {
		return 0, lambda.Errorf(lambda.BadRuntime, "The runtime %s is not supported; lamina runs nodejs18.x, nodejs20.x, nodejs22.x and nodejs24.x.", r)
	}
	return major, nil
}

// addNode gets the node of a runtime, unless the host has one, and the SDK.
func (s *Set) addNode(ctx context.Context, r lambda.Runtime, progress io.Writer) (Info, error) {
	major, err := nodeMajor(r)
	if err != nil {
		return Info{}, err
	}
	in, ok, err := s.node.Best(ctx, major)
	if err != nil {
		return Info{}, fmt.Errorf("cannot look for %s: %w", r, err)
	}
	source := "host"
	if !ok {
		source = "added"
		if in, err = s.fetchNode(ctx, r, major, progress); err != nil {
			return Info{}, fmt.Errorf("cannot get %s: %w", r, err)
		}
	}
	pins, err := node.PinsOf(major)
	if err != nil {
		return Info{}, err
	}
	if rec, ok := s.installedSDK(r); ok && rec.Requirements == pins.Digest && s.stored(ctx, rec) {
		fmt.Fprintf(progress, "%s has %s already\n", r, rec.Version)
		return s.nodeInfo(in, source), nil
	}
	if err := s.install(ctx, s.sdkPath(r), func(dir string) error { return s.node.Install(ctx, pins, dir, progress) }, sdkRecord{
		Version: pins.Version, Requirements: pins.Digest,
	}); err != nil {
		return Info{}, fmt.Errorf("cannot install the SDK of %s: %w", r, err)
	}
	fmt.Fprintf(progress, "%s has %s now; environments that are running keep what they have\n", r, pins.Version)
	return s.nodeInfo(in, source), nil
}

// fetchNode gets the pinned package of a major, unless the store has it.
func (s *Set) fetchNode(ctx context.Context, r lambda.Runtime, major int, progress io.Writer) (node.Interpreter, error) {
	p, err := node.PackageOf(major)
	if err != nil {
		return node.Interpreter{}, err
	}
	in := node.Interpreter{Version: p.Version, Major: major}
	if rec, ok := readRecord(s.nodePath(r)); ok && rec.Requirements == p.Integrity && s.stored(ctx, rec) {
		return in, nil
	}
	return in, s.install(ctx, s.nodePath(r), func(dir string) error { return s.node.Fetch(ctx, p, dir, progress) }, sdkRecord{
		Version: p.Version, Requirements: p.Integrity,
	})
}
