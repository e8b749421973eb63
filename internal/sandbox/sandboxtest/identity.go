package sandboxtest

import (
	"fmt"
	"os"
	"strings"
)

func testIdentity(e *env) {
	s := e.create(e.spec())
	if os.Getenv(SubordinateVariable) != "" && e.single() {
		e.Error("a user with subordinate IDs has a sandbox with one ID")
	}
	e.equal("ids", e.output(s, `echo $(id -u) $(id -g) $(id -G)`), "993 990 990")
	e.equal("host name", e.output(s, `cat /proc/sys/kernel/hostname`), "sandbox")
	e.equal("session", e.output(s, `read -r _ _ _ _ pgrp sid _ </proc/$$/stat; echo $((pgrp == $$)) $((sid == $$))`), "1 1")
}

// testAccounts compares who processes are outside: functions of different accounts are different users, where there are some
// to give away.
func testAccounts(e *env) {
	var users []string
	for _, account := range []string{"111122223333", "444455556666", "111122223333"} {
		spec := e.spec()
		spec.Account = account
		s := e.create(spec)
		pid, _ := e.busy(s)
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			e.Fatal(err)
		}
		_, uid, _ := strings.Cut(string(status), "\nUid:")
		_, gid, _ := strings.Cut(string(status), "\nGid:")
		users = append(users, strings.Fields(uid)[0]+" "+strings.Fields(gid)[0])
		s.Close()
	}
	own := fmt.Sprint(os.Geteuid(), " ", os.Getegid())
	if e.single() {
		e.equal("one user", strings.Join(users, ", "), strings.Join([]string{own, own, own}, ", "))
		return
	}
	if users[0] != users[2] || users[0] == users[1] || users[0] == own || users[1] == own {
		e.Errorf("the users of two accounts, and of the first again: %q, our own: %s", users, own)
	}
}

func testNoPrivileges(e *env) {
	s := e.create(e.spec())
	got := e.output(s, `grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\t'`)
	none := "0000000000000000"
	want := []string{"CapInh:" + none, "CapPrm:" + none, "CapEff:" + none, "CapBnd:" + none, "CapAmb:" + none,
		"NoNewPrivs:1", "Seccomp:2"}
	e.equal("status", got, strings.Join(want, "\n"))
	if out, exit := e.run(s, `chown 0 /tmp`); exit.Code == 0 {
		e.Errorf("chown worked: %s", out)
	}
	if out, exit := e.run(s, `cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id && grep -q nosuid <(grep ' /tmp ' /proc/mounts)`); exit.Code != 0 {
		e.Errorf("/tmp takes set-user-ID programs: %s", out)
	}
}

func testNoNamespaces(e *env) {
	s := e.create(e.spec())
	denied := "Operation not permitted"
	for _, script := range []string{
		`unshare --user true`,
		`unshare --mount true`,
		`unshare --net true`,
		`unshare --pid --fork true`,
		`nsenter --mount=/proc/self/ns/mnt true`,
	} {
		out, exit := e.run(s, script)
		if exit.Code == 0 || !strings.Contains(out, denied) {
			e.Errorf("%s: %v, %q", script, exit, out)
		}
	}
	for _, script := range []string{
		`mount -t tmpfs none /tmp`,
		`mount -o remount,rw /`,
		`umount /usr`,
		`chroot /usr /bin/true`,
		`hostname other`,
	} {
		if out, exit := e.run(s, script); exit.Code == 0 {
			e.Errorf("%s worked: %q", script, out)
		}
	}
	e.equal("user namespaces", e.output(s, `cat /proc/sys/user/max_user_namespaces`), "0")
}

func testHelperIsSafe(e *env) {
	s := e.create(e.spec())
	// Every signal there is, from a process that rootless has the helper's own user ID.
	e.output(s, `for s in $(seq 1 64); do kill -$s 1 2>/dev/null; done; true`)
	for _, script := range []string{
		`cat /proc/1/environ`, `readlink /proc/1/exe`, `ls /proc/1/fd/`, `ls /proc/1/root/`, `cat /proc/1/mem`,
		`echo 1 >/proc/1/oom_score_adj`,
	} {
		if out, exit := e.run(s, script); exit.Code == 0 {
			e.Errorf("%s worked: %q", script, out)
		}
	}
	e.equal("still serving", e.output(s, `echo yes`), "yes")
	select {
	case <-s.Done():
		e.Error("the sandbox ended")
	default:
	}
}

// programs is a script that lists the processes there are, with itself and without starting any.
const programs = `for f in /proc/[0-9]*/comm; do read -r name <$f && echo $name; done`

func testApart(e *env) {
	one, two := e.create(e.spec()), e.create(e.spec())
	p, r := e.spawn(one, `echo secret >/tmp/secret; echo ready; exec sleep 1000`)
	e.equal("first", e.readLine(r), "ready")
	e.equal("tmp of the second", e.output(two, `ls -A /tmp`), "")
	e.equal("programs in the second", e.output(two, programs), "lamina-init\nbash")
	if out := e.output(two, `cat /proc/*/cmdline | tr '\0' ' '`); strings.Contains(out, "sleep") {
		e.Errorf("the second sees the first's process: %q", out)
	}
	if err := p.Signal(9); err != nil {
		e.Errorf("signal: %v", err)
	}
	e.wait(p)
	// Nor does a sandbox see the host's processes.
	if out, exit := e.run(two, fmt.Sprintf(`kill -0 %d`, os.Getpid())); exit.Code == 0 {
		e.Errorf("it can signal the host: %q", out)
	}
}
