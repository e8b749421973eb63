package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/failpoint"
)

// folder is the data folder of a server that runs: everything that is kept is below it, and one server at a time uses it.
//
//	lock       locked while a server runs; holds its process id
//	secret     signs download links and the keys of functions
//	lamina.db  the catalog, when it is SQLite
//	blobs/     zips by digest
//	trees/     unpacked zips: a cache of blobs/
//	runtimes/  managed runtimes of this machine
//	logs/      what functions printed
//	sandboxes/ state of running sandboxes
type folder struct {
	path string
	lock *os.File
}

func (f *folder) sub(name string) string { return filepath.Join(f.path, name) }

// makeFolder makes the folder where there is none. Only its owner can look into it, since zips and logs hold what people
// keep private. A folder that holds something else is refused: it is not ours to close to others.
func makeFolder(path string) error {
	err := failpoint.MkdirAll("daemon.folder", path, 0o700)
	if err == nil {
		err = checkOurs(path)
	}
	if err == nil {
		err = failpoint.Chmod("daemon.folder-mode", path, 0o700)
	}
	if err != nil {
		return &Problem{Text: fmt.Sprintf("cannot use the data folder %s: %v", path, err), Todo: "name another one: --data FOLDER", Err: err}
	}
	return nil
}

// checkOurs accepts an empty folder and one with our lock file, which it makes.
func checkOurs(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	lock := filepath.Join(path, "lock")
	if _, err := os.Lstat(lock); len(entries) > 0 && errors.Is(err, fs.ErrNotExist) {
		return errors.New("it holds other things than lamina's")
	}
	f, err := failpoint.OpenFile("daemon.lock", lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// openFolder makes the folder and takes its lock.
func openFolder(path string) (*folder, error) {
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the data folder: %w", err)
	}
	if err := unix.FcntlFlock(lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		defer lock.Close()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			return nil, folderTaken(path)
		}
		return nil, fmt.Errorf("cannot lock the data folder %s: %w", path, err)
	}
	if err := writePID(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("cannot lock the data folder: %w", err)
	}
	return &folder{path, lock}, nil
}

// sync makes what was put into a new folder stay there, its own name too.
func (f *folder) sync() error {
	return errors.Join(failpoint.SyncDir("daemon.sync", f.path), failpoint.SyncDir("daemon.sync-parent", filepath.Dir(f.path)))
}

// close gives the lock back. The file stays: removing it would let two servers lock two files of one name.
func (f *folder) close() error {
	return errors.Join(failpoint.Truncate("daemon.unlock", f.lock, 0), f.lock.Close())
}

func writePID(f *os.File) error {
	if err := failpoint.Truncate("daemon.pid", f, 0); err != nil {
		return err
	}
	_, err := failpoint.Write("daemon.pid-write", f, []byte(strconv.Itoa(os.Getpid())+"\n")) // at its beginning: nothing was read or written before
	return err
}

// folderUser gives the id of the server that holds the folder's lock, 0 when none does. It asks without taking the lock,
// so it is in nobody's way.
func folderUser(path string) int {
	f, err := os.Open(filepath.Join(path, "lock"))
	if err != nil {
		return 0
	}
	defer f.Close()
	held := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &held); err != nil || held.Type == unix.F_UNLCK {
		return 0
	}
	b, _ := os.ReadFile(f.Name())
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

func folderTaken(path string) error {
	pid := folderUser(path)
	if pid == 0 {
		return &Problem{Text: fmt.Sprintf("the data folder %s is used by another lamina serve", path), Todo: "use another folder: lamina serve --data FOLDER"}
	}
	return &Problem{
		Text: fmt.Sprintf("the data folder %s is used by another lamina serve, process %d", path, pid),
		Todo: fmt.Sprintf("use another folder: lamina serve --data FOLDER\nor end that server:   kill %d", pid),
	}
}

// secret reads the key that signs download links and functions' keys, or makes it. It is kept, so that links outlive a
// restart.
func (f *folder) secret() ([]byte, error) {
	path := f.sub("secret")
	if err := f.sweep(); err != nil {
		return nil, fmt.Errorf("cannot clean up the data folder: %w", err)
	}
	b, err := os.ReadFile(path)
	if err == nil && len(b) >= 32 {
		return b, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the signing key: %w", err)
	}
	b = make([]byte, 32)
	rand.Read(b)
	if err := writeWhole(path, b); err != nil {
		return nil, fmt.Errorf("cannot keep the signing key: %w", err)
	}
	return b, nil
}

// sweep removes what never became whole, since a server was killed.
func (f *folder) sweep() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), scratch) {
			err = errors.Join(err, failpoint.Remove("daemon.sweep", f.sub(e.Name())))
		}
	}
	return err
}

// scratch begins the names of files that are not whole yet.
const scratch = ".new-"

// writeWhole writes a file of our own eyes that is there with all its bytes or not at all.
func writeWhole(path string, b []byte) error {
	f, err := failpoint.CreateTemp("daemon.small", filepath.Dir(path), scratch) // 0600
	if err != nil {
		return err
	}
	defer failpoint.Remove("daemon.small-done", f.Name())
	_, err = failpoint.Write("daemon.small-write", f, b)
	if err = errors.Join(err, failpoint.Sync("daemon.small-sync", f), f.Close()); err != nil {
		return err
	}
	if err := failpoint.Rename("daemon.small-name", f.Name(), path); err != nil {
		return err
	}
	return failpoint.SyncDir("daemon.small-sync-folder", filepath.Dir(path))
}
