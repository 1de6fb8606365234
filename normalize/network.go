package normalize

import (
	"net/netip"
	"strings"
)

// Network returns the canonical network that an address belongs to, /24 for
// IPv4 and /48 for IPv6: what one connection or office commonly holds. It is ""
// for private, loopback, reserved and unreadable addresses. A network is no
// person: carriers put thousands of customers behind one.
func Network(ip string) string {
	a, ok := publicAddr(ip)
	if !ok {
		return ""
	}
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// reserved lists special-purpose blocks (IANA registries, RFC 6890) that netip
// has no word for. The documentation blocks are left usable, because made-up
// worlds are built of them.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("::/96"),
}

func publicAddr(s string) (netip.Addr, bool) {
	s = strings.Trim(Fold(strings.TrimSpace(s)), " \t\"'")
	if len(s) < 2 || len(s) > 64 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return netip.Addr{}, false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return netip.Addr{}, false
		}
	}
	return a, true
}
