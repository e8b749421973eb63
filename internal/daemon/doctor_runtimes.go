package daemon

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
)

// interpreters looks for managed runtimes.
func (x *examination) interpreters(ctx context.Context) {
	infos, err := runtimes.New(runtimes.Options{Dir: x.runtimesDir()}).List(ctx)
	if err != nil {
		x.report(Check{Name: "runtimes", State: Degraded, Detail: err.Error(), Degrade: "only provided.* functions can run"})
		return
	}
	found := false
	for _, i := range infos {
		if i.Runtime.Provided() {
			continue
		}
		found = true
		x.report(x.interpreter(i))
	}
	if !found {
		x.report(Check{
			Name: "runtimes", State: Degraded, Detail: "no python or node was found on PATH, under pyenv or nvm, or in /usr/bin",
			Degrade: "only functions that bring their own bootstrap (provided.*) can run", Fix: installPython(),
		})
	}
}

func (x *examination) interpreter(i runtimes.Info) Check {
	c := Check{Name: string(i.Runtime), State: Works, Detail: fmt.Sprintf("%s, %s", i.Version, cmp.Or(i.Interpreter, i.Source))}
	if i.SDK == "" {
		lacks := map[string]string{"python": "import boto3", "nodejs": "require('@aws-sdk/…')"}[i.Runtime.Family()]
		c.State, c.Degrade, c.Fix = Degraded, lacks+" fails, unless the function or a layer brings it", "lamina runtime add "+string(i.Runtime)+x.dataFlag()
	} else {
		c.Detail += ", " + i.SDK
	}
	if len(i.Missing) > 0 {
		c.State = Degraded
		c.Degrade = strings.TrimPrefix(c.Degrade+"; the interpreter was built without "+strings.Join(i.Missing, ", "), "; ")
	}
	return c
}

// dataFlag makes a command speak of the same data folder, when it isn't the usual one.
func (x *examination) dataFlag() string {
	if x.cfg.Data == config.Default(os.Getenv, os.Geteuid() == 0).Data {
		return ""
	}
	return " --data " + shellWord(x.cfg.Data)
}

// shellWord writes a text as one word for a shell.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// runtimesDir is the data folder's when there is one, else one that is gone after the examination.
func (x *examination) runtimesDir() string {
	data := &folder{path: x.cfg.Data}
	if _, err := os.Stat(data.sub("lock")); err == nil {
		return data.sub("runtimes")
	}
	return x.scratch("runtimes")
}

// newest gives the newest python of this machine, ok is false when there is none.
func newest(ctx context.Context, set *runtimes.Set) (r lambda.Runtime, ok bool) {
	infos, err := set.List(ctx)
	if err != nil {
		return "", false
	}
	for _, i := range infos { // oldest first
		if i.Runtime.Family() == "python" {
			r, ok = i.Runtime, true
		}
	}
	return r, ok
}

// installPython is how this distribution installs an interpreter.
func installPython() string {
	release, _ := os.ReadFile("/etc/os-release")
	command := packageManager(string(release)) + " python3"
	if os.Geteuid() != 0 {
		command = "sudo " + command
	}
	return command
}

func packageManager(release string) string {
	for _, family := range [][2]string{
		{"debian", "apt-get install -y"}, {"ubuntu", "apt-get install -y"}, {"fedora", "dnf install -y"}, {"rhel", "dnf install -y"},
		{"amzn", "dnf install -y"}, {"suse", "zypper install -y"}, {"arch", "pacman -S --noconfirm"}, {"alpine", "apk add"},
	} {
		for line := range strings.Lines(release) {
			if (strings.HasPrefix(line, "ID=") || strings.HasPrefix(line, "ID_LIKE=")) && strings.Contains(line, family[0]) {
				return family[1]
			}
		}
	}
	return "apt-get install -y"
}
