package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mount is a line of /proc/self/mountinfo.
type mount struct{ root, point, kind, source string }

func mountTable() []mount {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	var all []mount
	for line := range strings.Lines(string(b)) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) >= 5 && len(g) >= 2 {
			all = append(all, mount{root: f[3], point: f[4], kind: g[0], source: g[1]})
		}
	}
	return all
}

// mounts lists this mount namespace's. Several alike on one point are told apart by counting them.
func mounts() map[string]string {
	found, count := map[string]string{}, map[mount]int{}
	for _, m := range mountTable() {
		count[m]++
		shown := fmt.Sprintf("%s on %s (%s)", m.source, m.point, m.kind)
		found[fmt.Sprint(shown, m.root, count[m])] = shown
	}
	return found
}

var netNamespace = regexp.MustCompile(`^net:\[\d+\]$`)

// networks lists network namespaces by who keeps them: a process, an open file, or a mount.
func networks() map[string]string {
	found := map[string]string{}
	for _, pid := range pids() {
		dir := fmt.Sprintf("/proc/%d", pid)
		keepers := []string{dir + "/ns/net"}
		files, _ := os.ReadDir(dir + "/fd")
		for _, f := range files {
			keepers = append(keepers, dir+"/fd/"+f.Name())
		}
		for _, k := range keepers {
			if ns, err := os.Readlink(k); err == nil && netNamespace.MatchString(ns) {
				found[ns] = ns + " kept by " + k
			}
		}
	}
	for _, m := range mountTable() {
		if netNamespace.MatchString(m.root) {
			found[m.root] = m.root + " kept by the mount " + m.point
		}
	}
	return found
}

// cgroups lists those with our name in their path: service managers and container engines make others whenever they like.
func cgroups() map[string]string {
	found := map[string]string{}
	for _, m := range mountTable() {
		if m.kind != "cgroup" && m.kind != "cgroup2" {
			continue
		}
		filepath.WalkDir(m.point, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && strings.Contains(p, "lamina") {
				found[p] = p
			}
			return nil
		})
	}
	return found
}

func loops() map[string]string {
	found := map[string]string{}
	used, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, u := range used {
		file, _ := os.ReadFile(u)
		device := strings.Split(u, "/")[3]
		found[device+" "+string(file)] = fmt.Sprintf("/dev/%s of %s", device, strings.TrimSpace(string(file)))
	}
	return found
}
