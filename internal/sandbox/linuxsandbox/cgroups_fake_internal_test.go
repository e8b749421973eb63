package linuxsandbox

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fake is a folder that looks like a cgroup file system. Files take what is written to them.
func fake(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// unified is a version 2 with these controllers, in which the folders of a state are there.
func unified(t *testing.T, controllers string) string {
	return fake(t, map[string]string{
		"cgroup.controllers": controllers, "cgroup.subtree_control": "", "lamina/cgroup.subtree_control": "",
		"lamina/s/cgroup.subtree_control": "",
	})
}

func TestFindControllers(t *testing.T) {
	for name, test := range map[string]struct {
		v2     string   // its controllers; "-": there is none
		v1     []string // hierarchies of version 1
		cpu    bool
		want   map[string]string // the version that each controller is found in
		reason bool
	}{
		"version 2":                     {"cpuset cpu io memory pids", nil, true, map[string]string{"memory": "2", "pids": "2", "cpu": "2"}, false},
		"version 2, not asked":          {"cpuset cpu io memory pids", nil, false, map[string]string{"memory": "2", "pids": "2"}, false},
		"version 2, what was delegated": {"memory pids", nil, true, map[string]string{"memory": "2", "pids": "2"}, false},
		"version 2, nothing":            {"", nil, true, map[string]string{}, true},
		"version 1":                     {"-", []string{"memory", "pids", "cpu"}, true, map[string]string{"memory": "1", "pids": "1", "cpu": "1"}, false},
		"version 1, no memory":          {"-", []string{"pids", "cpu"}, true, map[string]string{"pids": "1", "cpu": "1"}, true},
		"hybrid":                        {"hugetlb", []string{"memory", "pids", "cpu"}, true, map[string]string{"memory": "1", "pids": "1", "cpu": "1"}, false},
		"divided":                       {"memory", []string{"pids", "cpu"}, true, map[string]string{"memory": "2", "pids": "1", "cpu": "1"}, false},
		"divided otherwise":             {"cpu", []string{"memory", "pids"}, true, map[string]string{"memory": "1", "pids": "1", "cpu": "2"}, false},
		"none":                          {"-", nil, true, map[string]string{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hierarchies{v1: map[string]string{}}
			if test.v2 != "-" {
				h.v2 = unified(t, test.v2)
				h.own = h.v2
			}
			for _, controller := range test.v1 {
				h.v1[controller] = t.TempDir()
			}
			c := &cgroups{}
			c.find(h, "s", test.cpu)
			got := map[string]string{}
			for name, at := range map[string]place{"memory": c.memory, "pids": c.pids, "cpu": c.cpu} {
				switch at {
				case place{}:
				case place{filepath.Join(h.v2, "lamina/s"), true}:
					got[name] = "2"
				case place{filepath.Join(h.v1[name], "lamina/s"), false}:
					got[name] = "1"
				default:
					t.Errorf("%s is in %+v", name, at)
				}
			}
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("-got +want\n%s", diff)
			}
			if (c.why != nil) != test.reason {
				t.Errorf("the reason: %v", c.why)
			}
		})
	}
}

// TestLimitsOfBothVersions writes a sandbox's limits to where its controllers are.
func TestLimitsOfBothVersions(t *testing.T) {
	v2 := fake(t, map[string]string{"box/memory.max": "", "box/memory.swap.max": "", "box/pids.max": "", "box/cpu.max": ""})
	v1 := fake(t, map[string]string{
		"memory/box/memory.limit_in_bytes": "", "memory/box/memory.memsw.limit_in_bytes": "", "memory/box/memory.swappiness": "",
		"pids/box/pids.max": "", "cpu/box/cpu.cfs_period_us": "", "cpu/box/cpu.cfs_quota_us": "",
	})
	for name, test := range map[string]struct {
		c     cgroups
		files map[string]string
	}{
		"version 2": {cgroups{memory: place{v2, true}, pids: place{v2, true}, cpu: place{v2, true}}, map[string]string{
			v2 + "/box/memory.max": "138412032", v2 + "/box/memory.swap.max": "0", v2 + "/box/pids.max": "1036", v2 + "/box/cpu.max": "10000 20000"}},
		"version 1": {cgroups{memory: place{v1 + "/memory", false}, pids: place{v1 + "/pids", false}, cpu: place{v1 + "/cpu", false}}, map[string]string{
			v1 + "/memory/box/memory.limit_in_bytes": "134217728", v1 + "/memory/box/memory.memsw.limit_in_bytes": "134217728",
			v1 + "/memory/box/memory.swappiness": "0", v1 + "/pids/box/pids.max": "1025",
			v1 + "/cpu/box/cpu.cfs_period_us": "20000", v1 + "/cpu/box/cpu.cfs_quota_us": "10000"}},
	} {
		g := &group{cgroups: &test.c, name: "box"}
		if err := errors.Join(g.limit(128<<20, 1024), g.limitCPU(0.5)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for file, want := range test.files {
			if got, err := os.ReadFile(file); string(got) != want || err != nil {
				t.Errorf("%s: %s: got %q, %v, want %q", name, file, got, err, want)
			}
		}
	}
	if err := (&group{cgroups: &cgroups{}, name: "box"}).limitCPU(1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without a controller: %v", err)
	}
}

// TestMetersOfBothVersions reads what the two versions say of a sandbox's memory.
func TestMetersOfBothVersions(t *testing.T) {
	v2 := fake(t, map[string]string{
		"box/memory.current": "5000\n", "box/memory.events": "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n",
		"box/memory.stat": "anon 100\nfile 4000\nshmem 30\nanon_thp 9\n",
	})
	v1 := fake(t, map[string]string{
		"box/memory.usage_in_bytes": "5000\n", "box/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		"box/memory.stat": "rss 1\nshmem 2\ntotal_rss 100\ntotal_cache 4000\ntotal_shmem 30\n",
	})
	for name, at := range map[string]place{"version 2": {v2, true}, "version 1": {v1, false}} {
		m := (&group{cgroups: &cgroups{memory: at}, name: "box"}).meter()
		charge, err := m.charge()
		held, err2 := m.held()
		if charge != 5000 || held != 130 || m.kills() != 2 || !m.enforced() || err != nil || err2 != nil {
			t.Errorf("%s: %d, %d, %d, %v, %v", name, charge, held, m.kills(), err, err2)
		}
		m.close()
	}
	if m := (&group{cgroups: &cgroups{}, name: "box"}).meter(); m != nil {
		t.Errorf("without a controller: %v", m)
	}
}
