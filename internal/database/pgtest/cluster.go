package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// cluster is a running server with its files in dir, reached by a socket in dir alone.
type cluster struct {
	dir    string
	signal chan os.Signal // to the server
	exited chan error     // its end
}

// startupTime is long: it only bounds a server that never comes up.
const startupTime = 2 * time.Minute

func startCluster() (*cluster, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	attr, err := ordinaryUser()
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(attr)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, signal: make(chan os.Signal), exited: make(chan error, 1)}
	if err := c.start(bin, attr); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return c, nil
}

func (c *cluster) start(bin string, attr *syscall.SysProcAttr) error {
	if err := initdb(bin, c.dir, attr); err != nil {
		return err
	}
	started := make(chan error, 1)
	go c.run(filepath.Join(bin, "postgres"), attr, started)
	if err := <-started; err != nil {
		return err
	}
	if err := c.wait(); err != nil {
		c.halt()
		return err
	}
	return nil
}

// run starts the server, passes signals on to it, and waits for its end. It keeps its thread, because the server is to die
// with this process and the kernel watches the thread that started it.
func (c *cluster) run(program string, attr *syscall.SysProcAttr, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Tests need no safety from power failures, so the server does not sync.
	cmd := exec.Command(program, "-D", c.data(), "-k", c.dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "full_page_writes=off", "-c", "max_connections=200")
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: attr.Credential, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	err := cmd.Start()
	started <- err
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-c.signal:
				cmd.Process.Signal(s)
			case <-done:
				return
			}
		}
	}()
	err = cmd.Wait()
	close(done)
	c.exited <- err
}

// wait returns when the server answers.
func (c *cluster) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startupTime)
	defer cancel()
	db, err := sql.Open("pgx", c.url().String())
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case e := <-c.exited:
			c.exited <- e
			return fmt.Errorf("postgres ended at its start: %v", e)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// stop ends the server and removes its files. A nil cluster is stopped already.
func (c *cluster) stop() {
	if c == nil {
		return
	}
	c.halt()
	os.RemoveAll(c.dir)
}

func (c *cluster) halt() {
	for {
		select {
		case c.signal <- syscall.SIGQUIT: // at once, files are removed anyway
			<-c.exited
			return
		case <-c.exited:
			return
		}
	}
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) url() *url.URL {
	q := url.Values{"host": {c.dir}, "user": {"postgres"}}
	return &url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: q.Encode()}
}

// initdb makes the files. A collation that is not C, where the server has one, shows queries that forget to ask for it.
func initdb(bin, dir string, attr *syscall.SysProcAttr) error {
	var out bytes.Buffer
	for _, locale := range [][]string{{"--locale-provider=icu", "--icu-locale=en", "--locale=C"}, {"--locale=C"}} {
		args := append([]string{"-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"}, locale...)
		cmd := exec.Command(filepath.Join(bin, "initdb"), args...)
		cmd.Dir = dir
		cmd.Stdout, cmd.Stderr = &out, &out
		cmd.SysProcAttr = attr
		if err := cmd.Run(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("initdb failed: %s", &out)
}

// findPrograms gives the folder with initdb and postgres.
func findPrograms() (string, error) {
	var dirs []string
	if p, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	packaged, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // no error: the pattern is good
	for _, dir := range append(append(dirs, packaged...), "/usr/local/bin", "/usr/pgsql/bin") {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", errMissing
}

func executable(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0
}

// ordinaryUser gives what makes a process run as somebody else when this one is root's.
func ordinaryUser() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("it refuses root, and there is neither a user postgres nor nobody")
}

// makeDir makes a folder that belongs to the server's user, with a name short enough for a socket in it.
func makeDir(attr *syscall.SysProcAttr) (string, error) {
	dir, err := os.MkdirTemp(tempDir(), "lamina-pg-")
	if err != nil {
		return "", err
	}
	if attr.Credential != nil {
		err = os.Chown(dir, int(attr.Credential.Uid), int(attr.Credential.Gid))
	}
	return dir, err
}

func tempDir() string {
	if dir := os.TempDir(); len(dir) <= 60 {
		return dir
	}
	return "/tmp"
}
