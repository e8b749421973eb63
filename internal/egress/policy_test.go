package egress_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/egress"
)

func nets(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func TestCheck(t *testing.T) {
	everything := nets("0.0.0.0/0")
	for name, tt := range map[string]struct {
		policy egress.Policy
		to     string
		udp    bool
		want   string // in the error; "" is none
	}{
		"internet":                {egress.Policy{}, "203.0.113.7:443", false, ""},
		"internet, UDP":           {egress.Policy{}, "203.0.113.7:53", true, ""},
		"loopback":                {egress.Policy{Allow: everything}, "127.0.0.1:80", false, "never"},
		"all of loopback":         {egress.Policy{Allow: everything}, "127.255.255.254:80", false, "never"},
		"loopback in IPv6":        {egress.Policy{Allow: everything}, "[::1]:80", false, "IPv4 only"},
		"loopback mapped":         {egress.Policy{Allow: everything}, "[::ffff:127.0.0.1]:80", false, "never"},
		"metadata":                {egress.Policy{Allow: nets("169.254.169.254/32")}, "169.254.169.254:80", false, "never"},
		"any address":             {egress.Policy{Allow: everything}, "0.0.0.0:80", false, "never"},
		"multicast":               {egress.Policy{Allow: everything}, "224.0.0.251:5353", true, "never"},
		"broadcast":               {egress.Policy{Allow: everything}, "255.255.255.255:67", true, "never"},
		"private":                 {egress.Policy{}, "10.1.2.3:80", false, "private network"},
		"private, 172":            {egress.Policy{}, "172.31.255.255:80", false, "private network"},
		"beside private":          {egress.Policy{}, "172.32.0.1:80", false, ""},
		"private, 192":            {egress.Policy{}, "192.168.0.1:80", false, "private network"},
		"carrier":                 {egress.Policy{}, "100.64.0.1:80", false, "private network"},
		"private, allowed":        {egress.Policy{Allow: nets("10.1.0.0/16")}, "10.1.2.3:80", false, ""},
		"private beside":          {egress.Policy{Allow: nets("10.1.0.0/16")}, "10.2.2.3:80", false, "private network"},
		"denied":                  {egress.Policy{Deny: nets("203.0.113.0/24")}, "203.0.113.7:443", false, "denied"},
		"denied although allowed": {egress.Policy{Allow: nets("10.1.0.0/16"), Deny: nets("10.0.0.0/8")}, "10.1.2.3:80", false, "denied"},
		"mail":                    {egress.Policy{}, "203.0.113.7:25", false, "port 25"},
		"mail's port, UDP":        {egress.Policy{}, "203.0.113.7:25", true, ""},
		"mail, allowed":           {egress.Policy{Allow: nets("203.0.113.0/24")}, "203.0.113.7:25", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := egress.Check(&tt.policy, netip.MustParseAddrPort(tt.to), !tt.udp)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestOwnAddresses asks for every address that this machine has, whatever it is.
func TestOwnAddresses(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	open := egress.Policy{Allow: nets("0.0.0.0/0")}
	for _, a := range addrs {
		own, err := netip.ParsePrefix(a.String())
		if err != nil || !own.Addr().Is4() {
			continue
		}
		if err := egress.Check(&open, netip.AddrPortFrom(own.Addr(), 80), true); err == nil {
			t.Errorf("%v may be called", own.Addr())
		}
	}
}

func TestRoutes(t *testing.T) {
	const always = "0.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4"
	for name, tt := range map[string]struct {
		policy       egress.Policy
		open, closed string
	}{
		"plain": {egress.Policy{}, "0.0.0.0/0",
			always + " 10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15"},
		"a part of a private network": {egress.Policy{Allow: nets("10.1.0.0/16")}, "0.0.0.0/0 10.1.0.0/16",
			always + " 10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15"},
		"everything": {egress.Policy{Allow: nets("0.0.0.0/0")}, "0.0.0.0/0 0.0.0.0/0", always},
		"deny wins": {egress.Policy{Allow: nets("10.1.0.0/16", "192.168.0.0/16"), Deny: nets("10.0.0.0/8", "203.0.113.0/24")}, "0.0.0.0/0 192.168.0.0/16",
			always + " 10.0.0.0/8 203.0.113.0/24 10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 198.18.0.0/15"},
		"never allowed":  {egress.Policy{Allow: nets("169.254.169.254/32", "127.0.0.0/8")}, "0.0.0.0/0", always + " 10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15"},
		"nothing at all": {egress.Policy{Deny: nets("0.0.0.0/0", "127.1.0.0/16")}, "0.0.0.0/0", always + " 10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15"},
	} {
		t.Run(name, func(t *testing.T) {
			open, closed := tt.policy.Routes()
			if diff := cmp.Diff([]string{join(open), join(closed)}, []string{tt.open, tt.closed}); diff != "" {
				t.Errorf("-got +want\n%s", diff)
			}
		})
	}
}

func join(list []netip.Prefix) string {
	var all []string
	for _, p := range list {
		all = append(all, p.String())
	}
	return strings.Join(all, " ")
}
