package runtimes

import (
	"debug/elf"
	"fmt"
	"os"

	"github.com/laminadev/lamina/internal/runtimes/ldcache"
	"github.com/laminadev/lamina/internal/runtimes/python"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// AWS runs functions as this user; the numbers are those of its images.
const (
	passwd = "root:x:0:0:root:/root:/bin/sh\n" +
		"bin:x:1:1:bin:/bin:/sbin/nologin\n" +
		"nobody:x:65534:65534:nobody:/:/sbin/nologin\n" +
		"sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
	group = "root:x:0:\n" +
		"bin:x:1:\n" +
		"nobody:x:65534:\n" +
		"sbx_user1051:x:990:\n"
	hosts    = "127.0.0.1 localhost localhost.localdomain\n::1 localhost6 localhost6.localdomain6\n"
	nsswitch = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n"
	// The sandbox's own address, where the server passes questions on. A sandbox without a network has no such address, and
	// names that are not in hosts fail there at once.
	resolv = "nameserver " + initproto.ResolverAddr + "\n"
)

// etc is a small /etc of our own, with the host's certificates and the links by which its package manager chooses among
// programs (without them Debian has no awk).
func (h host) etc() []sandbox.Mount {
	mounts := []sandbox.Mount{
		{Target: "/etc/passwd", File: []byte(passwd)},
		{Target: "/etc/group", File: []byte(group)},
		{Target: "/etc/hosts", File: []byte(hosts)},
		{Target: "/etc/nsswitch.conf", File: []byte(nsswitch)},
		{Target: "/etc/resolv.conf", File: []byte(resolv)},
		{Target: "/etc/localtime", Link: "/usr/share/zoneinfo/UTC"},
		{Target: "/etc/ld.so.cache", File: h.loaderCache()},
	}
	for _, p := range []string{"/etc/alternatives", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki", "/etc/crypto-policies",
		"/etc/services", "/etc/protocols"} {
		if h.exists(p) {
			mounts = append(mounts, h.bind(p))
		}
	}
	// Programs built for Amazon Linux look for the bundle where that has it.
	if !h.exists("/etc/pki") && h.exists("/etc/ssl/certs/ca-certificates.crt") {
		mounts = append(mounts, sandbox.Mount{Target: "/etc/pki/tls/certs/ca-bundle.crt", Link: "/etc/ssl/certs/ca-certificates.crt"})
	}
	return mounts
}

// loaderCache makes the dynamic loader's cache: the interpreters' own libraries in /var/lang/lib, and the host's but for those
// that a sandbox does not show. So an interpreter starts even when a function overrides LD_LIBRARY_PATH. Of two libraries of
// one name the loader takes the first; where that is not there, it searches its folders.
func (h host) loaderCache() []byte {
	var entries []ldcache.Entry
	if b, err := os.ReadFile(h.path("/etc/ld.so.cache")); err == nil {
		// A cache that cannot be read is like none: the loader then searches its folders.
		entries, _ = ldcache.Parse(b)
	}
	var shown []ldcache.Entry
	for minor := python.OldestMinor; minor <= python.NewestMinor; minor++ {
		name := fmt.Sprintf("libpython3.%d.so.1.0", minor)
		shown = append(shown, ldcache.Entry{Name: name, Path: "/var/lang/lib/" + name, Flags: ldcache.Flags(machine)})
	}
	for _, e := range entries {
		if ldcache.Within(e.Path, "/lib", "/lib64", "/usr/lib", "/usr/lib64") {
			shown = append(shown, e)
		}
	}
	return ldcache.Write(shown)
}

// machine is the architecture that lamina was built for, which is the host's.
var machine = func() elf.Machine {
	if f, err := elf.Open("/proc/self/exe"); err == nil {
		defer f.Close()
		return f.Machine
	}
	return elf.EM_X86_64
}()
