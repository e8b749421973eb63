package linuxsandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// subordinate are the IDs that the administrator gave an ordinary user to give on, with the programs that do it.
type subordinate struct {
	uids, gids           idRange
	newuidmap, newgidmap string

	given atomic.Bool // they were, at least once
}

// mapWait is how long newuidmap may take.
const mapWait = 10 * time.Second

// idRange is a range of host IDs.
type idRange struct{ first, count int }

// errSubordinate is why a sandbox could not be given subordinate IDs.
var errSubordinate = errors.New("cannot give out subordinate IDs")

// findSubordinate finds the caller's; the error says what is missing.
func findSubordinate() (*subordinate, error) {
	name, err := loginName()
	if err != nil {
		return nil, err
	}
	s := &subordinate{}
	for _, f := range []struct {
		path string
		at   *idRange
	}{{"/etc/subuid", &s.uids}, {"/etc/subgid", &s.gids}} {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return nil, err
		}
		// Both files name users; a number is one's too.
		if *f.at = parseSubordinate(data, name, strconv.Itoa(os.Geteuid())); f.at.count == 0 {
			return nil, fmt.Errorf("%s has no line for %s", f.path, name)
		}
	}
	if s.newuidmap, err = exec.LookPath("newuidmap"); err != nil {
		return nil, errors.New("there is no newuidmap")
	}
	if s.newgidmap, err = exec.LookPath("newgidmap"); err != nil {
		return nil, errors.New("there is no newgidmap")
	}
	return s, nil
}

func loginName() (string, error) {
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return "", fmt.Errorf("user %d has no name", os.Geteuid())
	}
	return u.Username, nil
}

// parseSubordinate gives the largest range in lines "user:first:count" of one of these users.
func parseSubordinate(data []byte, users ...string) idRange {
	var best idRange
	for line := range bytes.Lines(data) {
		f := strings.Split(strings.TrimSpace(string(line)), ":")
		if len(f) != 3 {
			continue
		}
		first, err := strconv.ParseUint(f[1], 10, 32)
		count, err2 := strconv.ParseUint(f[2], 10, 32)
		if err != nil || err2 != nil || first == 0 {
			continue
		}
		for _, u := range users {
			if f[0] == u && int(count) > best.count {
				best = idRange{int(first), int(count)}
			}
		}
	}
	return best
}

// of gives the n-th account an ID each, from the end of the ranges: other programs that share them begin at the front.
func (s *subordinate) of(n int) (identity, bool) {
	if n >= min(s.uids.count, s.gids.count) {
		return identity{}, false
	}
	return identity{uid: s.uids.first + s.uids.count - 1 - n, gid: s.gids.first + s.gids.count - 1 - n}, true
}

// mapIDs gives a process in a new user namespace its IDs: user 0 is the caller, and the sandbox's user one of the
// subordinate ones.
func (s *subordinate) mapIDs(pid int, id identity) error {
	for _, m := range []struct {
		program            string
		own, inside, other int
	}{{s.newuidmap, os.Geteuid(), initproto.UID, id.uid}, {s.newgidmap, os.Getegid(), initproto.GID, id.gid}} {
		ctx, cancel := context.WithTimeout(context.Background(), mapWait)
		defer cancel()
		cmd := exec.CommandContext(ctx, m.program, strconv.Itoa(pid), "0", strconv.Itoa(m.own), "1", strconv.Itoa(m.inside), strconv.Itoa(m.other), "1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s: %s", errSubordinate, err, bytes.TrimSpace(out))
		}
	}
	s.given.Store(true)
	return nil
}
