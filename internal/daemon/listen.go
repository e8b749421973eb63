package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// listen opens the server's address. When it is taken, the error says by whom.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err == nil {
		return ln, nil
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, addressTaken(addr, err)
	case errors.Is(err, syscall.EACCES):
		return nil, &Problem{
			Text: fmt.Sprintf("cannot listen on %s: ports below 1024 are for the superuser", addr),
			Todo: "use another port: lamina serve --listen 127.0.0.1:0", Err: err,
		}
	}
	return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
}

func addressTaken(addr string, err error) error {
	p := &Problem{Text: "cannot listen on " + addr + ": the address is taken", Todo: "use another port:   lamina serve --listen 127.0.0.1:0", Err: err}
	o, ok := portOwner(addr)
	if !ok {
		return p
	}
	p.Text += " by " + o.String()
	if strings.Contains(o.Name, "lamina") {
		p.Todo = "use that server, or start a second one: lamina serve --listen 127.0.0.1:0 --data FOLDER"
	}
	if o.PID != 0 {
		p.Todo += fmt.Sprintf("\nor end that process: kill %d", o.PID)
	}
	return p
}

// portOwner finds who listens on an address as the user gave it.
func portOwner(addr string) (PortOwner, bool) {
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return PortOwner{}, false
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	if !ok {
		return PortOwner{}, false
	}
	return FindPortOwner("/proc", netip.AddrPortFrom(ip, uint16(tcp.Port)))
}
