package helper

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Attributes of the tproxy expression, which x/sys does not name.
const (
	tproxyFamily  = 1 // NFTA_TPROXY_FAMILY
	tproxyRegPort = 3 // NFTA_TPROXY_REG_PORT
)

const (
	mangle      = -150 // NF_IP_PRI_MANGLE
	daddrOffset = 16   // of the destination in an IPv4 header
	accept      = 1    // NF_ACCEPT
)

// divert is one transaction of nftables:
//
//	table ip lamina {
//	  chain divert {
//	    type filter hook prerouting priority mangle
//	    ip daddr 127.0.0.0/8 accept
//	    ip daddr 169.254.0.0/16 accept
//	    meta l4proto tcp tproxy to :1023 accept
//	    meta l4proto udp tproxy to :1023 accept
//	  }
//	}
func divert() *netlink {
	n := newNetlink()
	n.batch(unix.NFNL_MSG_BATCH_BEGIN)
	n.nf(unix.NFT_MSG_NEWTABLE, 0, func() { n.text(unix.NFTA_TABLE_NAME, table) })
	n.nf(unix.NFT_MSG_NEWCHAIN, 0, func() {
		n.text(unix.NFTA_CHAIN_TABLE, table)
		n.text(unix.NFTA_CHAIN_NAME, chain)
		n.nested(unix.NFTA_CHAIN_HOOK, func() {
			n.big(unix.NFTA_HOOK_HOOKNUM, unix.NF_INET_PRE_ROUTING)
			priority := int32(mangle)
			n.big(unix.NFTA_HOOK_PRIORITY, uint32(priority))
		})
		n.text(unix.NFTA_CHAIN_TYPE, "filter")
	})
	n.rule(0, func() { n.daddr(127); n.verdict() })
	n.rule(0, func() { n.daddr(169, 254); n.verdict() })
	n.rule(0, func() { n.protocol(unix.IPPROTO_TCP); n.tproxy(); n.verdict() })
	n.rule(unix.NLM_F_ACK, func() { n.protocol(unix.IPPROTO_UDP); n.tproxy(); n.verdict() })
	n.batch(unix.NFNL_MSG_BATCH_END)
	return n
}

const (
	table = "lamina"
	chain = "divert"
)

func (n *netlink) batch(kind uint16) {
	n.message(kind, 0, func() { n.bytes(unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, unix.NFNL_SUBSYS_NFTABLES) })
}

func (n *netlink) nf(kind, flags uint16, f func()) {
	n.message(unix.NFNL_SUBSYS_NFTABLES<<8|kind, unix.NLM_F_CREATE|flags, func() {
		n.bytes(unix.NFPROTO_IPV4, unix.NFNETLINK_V0, 0, 0)
		f()
	})
}

func (n *netlink) rule(flags uint16, f func()) {
	n.nf(unix.NFT_MSG_NEWRULE, unix.NLM_F_APPEND|flags, func() {
		n.text(unix.NFTA_RULE_TABLE, table)
		n.text(unix.NFTA_RULE_CHAIN, chain)
		n.nested(unix.NLA_F_NESTED|unix.NFTA_RULE_EXPRESSIONS, f)
	})
}

// expression adds one step of a rule.
func (n *netlink) expression(name string, f func()) {
	n.nested(unix.NLA_F_NESTED|unix.NFTA_LIST_ELEM, func() {
		n.text(unix.NFTA_EXPR_NAME, name)
		n.nested(unix.NLA_F_NESTED|unix.NFTA_EXPR_DATA, f)
	})
}

// daddr goes on when the destination begins with these bytes.
func (n *netlink) daddr(first ...byte) {
	n.expression("payload", func() {
		n.big(unix.NFTA_PAYLOAD_DREG, unix.NFT_REG_1)
		n.big(unix.NFTA_PAYLOAD_BASE, unix.NFT_PAYLOAD_NETWORK_HEADER)
		n.big(unix.NFTA_PAYLOAD_OFFSET, daddrOffset)
		n.big(unix.NFTA_PAYLOAD_LEN, uint32(len(first)))
	})
	n.equal(first)
}

func (n *netlink) protocol(number byte) {
	n.expression("meta", func() {
		n.big(unix.NFTA_META_KEY, unix.NFT_META_L4PROTO)
		n.big(unix.NFTA_META_DREG, unix.NFT_REG_1)
	})
	n.equal([]byte{number})
}

func (n *netlink) equal(value []byte) {
	n.expression("cmp", func() {
		n.big(unix.NFTA_CMP_SREG, unix.NFT_REG_1)
		n.big(unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
		n.nested(unix.NLA_F_NESTED|unix.NFTA_CMP_DATA, func() { n.attribute(unix.NFTA_DATA_VALUE, value) })
	})
}

func (n *netlink) tproxy() {
	n.expression("immediate", func() {
		n.big(unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_1)
		n.nested(unix.NLA_F_NESTED|unix.NFTA_IMMEDIATE_DATA, func() {
			n.attribute(unix.NFTA_DATA_VALUE, binary.BigEndian.AppendUint16(nil, port))
		})
	})
	n.expression("tproxy", func() {
		n.big(tproxyFamily, unix.NFPROTO_IPV4)
		n.big(tproxyRegPort, unix.NFT_REG_1)
	})
}

// verdict ends the way of a packet through the chain.
func (n *netlink) verdict() {
	n.expression("immediate", func() {
		n.big(unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_VERDICT)
		n.nested(unix.NLA_F_NESTED|unix.NFTA_IMMEDIATE_DATA, func() {
			n.nested(unix.NLA_F_NESTED|unix.NFTA_DATA_VERDICT, func() { n.big(unix.NFTA_VERDICT_CODE, accept) })
		})
	})
}
