/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* The test packet below all headers, and T2 in it. */
#pragma once

#include "walk.h"

#define NS_PER_S 1000000000ULL
/* 1970 in the era of NTP. */
#define NTP_UNIX_EPOCH 2208988800U
#define UDP_CHECKSUM_AT 6

/* A test packet, or why there is none. */
struct found {
	enum handling handling;
	__u32 udp; /* where the UDP header is; 0 when there is none */
	struct udp header;
};

/* One header further; STAMPED means that there is one, anything else ends the walk. */
static __noinline enum handling step(struct __sk_buff *skb, struct place *place)
{
	union {
		struct ipv4 v4;
		struct ipv6 v6;
		struct srh srh;
		__be32 entry;
		__be16 type;
	} header;
	__u32 entry;

	switch (place->kind) {
	case KIND_IP:
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		switch (ip_version(skb, place)) {
		case 4:
			if (!take_ipv4(skb, place, &header.v4))
				return UNSTAMPED_UNREADABLE;
			return is_piece(&header.v4) ? UNSTAMPED_FRAGMENT : STAMPED;
		case 6:
			return take_ipv6(skb, place, &header.v6) ? STAMPED : UNSTAMPED_UNREADABLE;
		}
		return UNSTAMPED_UNREADABLE;
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		return take_extension(skb, place) ? STAMPED : UNSTAMPED_UNREADABLE;
	case IPPROTO_ROUTING:
		if (routing_type(skb, place) == SRH_ROUTING_TYPE)
			return take_srh(skb, place, &header.srh) ? STAMPED : UNSTAMPED_UNREADABLE;
		return take_extension(skb, place) ? STAMPED : UNSTAMPED_UNREADABLE;
	case IPPROTO_FRAGMENT:
		return place->at + 8 <= place->end ? UNSTAMPED_FRAGMENT : UNSTAMPED_UNREADABLE;
	case PROTOCOL_ETHERNET:
		place->at += 2 * ETH_ALEN;
		place->kind = KIND_TYPE;
		return STAMPED;
	case KIND_TYPE:
		if (!TAKE(skb, place, header.type))
			return UNSTAMPED_UNREADABLE;
		place->at += 2;
		switch (bpf_ntohs(header.type)) {
		case ETH_P_IP:
		case ETH_P_IPV6:
			place->kind = KIND_IP;
			return STAMPED;
		case ETH_P_8021Q:
		case ETH_P_8021AD:
			place->at += 2;
			return STAMPED;
		case ETH_P_MPLS_UC:
			place->kind = KIND_MPLS;
			return STAMPED;
		}
		return UNSTAMPED_UNREADABLE;
	case KIND_MPLS:
		if (!TAKE(skb, place, header.entry))
			return UNSTAMPED_UNREADABLE;
		entry = bpf_ntohl(header.entry);
		place->at += 4;
		if (BOTTOM(entry))
			place->kind = KIND_IP;
		return STAMPED;
	}
	return UNSTAMPED_NOT_UDP;
}

/* Looks for a test packet of the rule. */
static __noinline void find(struct __sk_buff *skb, const struct place *from, __u32 rule_at,
			    const struct rule *rule, struct found *found)
{
	struct place place = *from;
	__u32 port;
	int layer;

	found->udp = 0;
	UNROLL
	for (layer = 0; layer < MOST_LAYERS; layer++) {
		if (place.kind == IPPROTO_UDP)
			continue;
		found->handling = step(skb, &place);
		if (found->handling != STAMPED)
			return;
	}
	found->handling = UNSTAMPED_UNREADABLE;
	/* Several datagrams in one buffer have one place for a checksum. */
	if (place.kind != IPPROTO_UDP || !take_udp(skb, &place, &found->header) || skb->gso_size)
		return;
	found->udp = place.at;
	port = rule_at << 16 | bpf_ntohs(found->header.destination_port);
	if (rule->some_ports && !bpf_map_lookup_elem(&ports, &port))
		found->handling = UNSTAMPED_FOREIGN_PORT;
	else if (place.at + UDP_OCTETS + rule->offset + 8 > place.end)
		found->handling = UNSTAMPED_TOO_SHORT;
	else
		found->handling = STAMPED;
}

/* When the packet came in, on the clock that shows UTC. */
static __always_inline __u64 arrival_ns(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *offset;

	/* What the kernel stamped it with on its arrival, as for anybody who asks for stamps. */
	if (skb->tstamp)
		return skb->tstamp;
	offset = bpf_map_lookup_elem(&tai_offset, &zero);
	return bpf_ktime_get_tai_ns() - (offset ? *offset : 0);
}

static __always_inline void timestamp(const struct rule *rule, __u64 ns, __be32 *written)
{
	__u64 seconds = ns / NS_PER_S, rest = ns % NS_PER_S;

	if (rule->format == FORMAT_NTP) {
		written[0] = bpf_htonl((__u32)seconds + NTP_UNIX_EPOCH);
		written[1] = bpf_htonl(((rest << 32) + NS_PER_S / 2) / NS_PER_S);
	} else {
		written[0] = bpf_htonl((__u32)(seconds + rule->ahead_s));
		written[1] = bpf_htonl(rest);
	}
}

/* Writes T2 and brings the checksum up to date (RFC 1624 §3). Where the sum is left to the card of
 * the sender, the kernel sees to it that it is left alone. */
static __always_inline int write_timestamp(struct __sk_buff *skb, const struct rule *rule,
					   const struct found *found)
{
	__u32 at = found->udp + UDP_OCTETS + rule->offset;
	__be32 old[2], new[2];
	__u32 difference;

	if (bpf_skb_load_bytes(skb, at, old, sizeof(old)))
		return 0;
	timestamp(rule, arrival_ns(skb), new);
	if (!found->header.checksum)
		return !bpf_skb_store_bytes(skb, at, new, sizeof(new), BPF_F_RECOMPUTE_CSUM);
	difference = bpf_csum_diff(old, sizeof(old), new, sizeof(new), 0);
	/* Words of the sum begin at even octets. */
	if (rule->offset & 1)
		difference = difference << 24 | difference >> 8;
	return !bpf_skb_store_bytes(skb, at, new, sizeof(new), 0) &&
	       !bpf_l4_csum_replace(skb, found->udp + UDP_CHECKSUM_AT, 0, difference,
				    BPF_F_MARK_MANGLED_0);
}
