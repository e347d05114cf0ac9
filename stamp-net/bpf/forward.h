/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* A packet to its next segment: the outer header is advanced or taken off, and the kernel's routes
 * and neighbours lead on. */
#pragma once

#include <linux/pkt_cls.h>

#include "payload.h"

#define AF_INET 2
#define AF_INET6 10
#define HOP_LIMIT_AT (ETH_HLEN + 7)
#define DESTINATION_AT (ETH_HLEN + 24)
#define IPV4_TTL_AT (ETH_HLEN + 8)
#define IPV4_CHECKSUM_AT (ETH_HLEN + 10)
#define IPV4_OCTETS 20

/* Where a packet goes and what has to be done to it before. */
struct way {
	struct bpf_fib_lookup fib;
	__u32 removed;          /* octets in front of the packet that goes on, */
	__u32 is_ipv4;          /* and what that is */
	__u32 segments_left_at; /* 0 where it stays */
	__u8 segments_left;
	__u8 hop_limit;
	struct address destination;
};

/* An address that no router sends packets to. */
static __always_inline int is_special_v6(const struct address *address)
{
	__u64 high = bpf_be64_to_cpu(address->high), low = bpf_be64_to_cpu(address->low);

	return (!high && low <= 1) || high >> 56 == 0xff || high >> 54 == 0xfe80 >> 6;
}

static __always_inline int is_special_v4(__be32 address)
{
	__u32 a = bpf_ntohl(address);

	return !a || a >> 24 == 127 || a >> 16 == 0xa9fe || a >> 28 == 0xe || a == 0xffffffff;
}

static __always_inline void ask_v6(struct way *way, const struct ipv6 *header)
{
	way->fib.family = AF_INET6;
	way->fib.flowinfo = header->flow & bpf_htonl(0x0fffffff);
	__builtin_memcpy(way->fib.ipv6_src, &header->source, 16);
	__builtin_memcpy(way->fib.ipv6_dst, &way->destination, 16);
	way->hop_limit = header->hop_limit;
}

/* The packet inside goes on alone. */
static __always_inline int inner_v6(struct __sk_buff *skb, struct place place, struct way *way)
{
	struct ipv6 header;

	way->removed = place.at - ETH_HLEN;
	if (!take_ipv6(skb, &place, &header))
		return DROP_MALFORMED;
	if (header.hop_limit <= 1)
		return DROP_HOP_LIMIT;
	if (is_special_v6(&header.destination))
		return DROP_DESTINATION;
	way->destination = header.destination;
	ask_v6(way, &header);
	way->fib.tot_len = IPV6_OCTETS + bpf_ntohs(header.payload_length);
	return GOES_ON;
}

static __always_inline int is_right(struct __sk_buff *skb, __u32 at, __u32 octets)
{
	__be32 header[15] = {};
	__s64 sum;

	if (octets < IPV4_OCTETS || octets > sizeof(header) ||
	    bpf_skb_load_bytes(skb, at, header, octets))
		return 0;
	sum = bpf_csum_diff(0, 0, header, sizeof(header), 0);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff);
	return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

static __always_inline int inner_v4(struct __sk_buff *skb, struct place place, struct way *way)
{
	struct ipv4 header;
	__u32 at = place.at;

	way->removed = at - ETH_HLEN;
	way->is_ipv4 = 1;
	if (!take_ipv4(skb, &place, &header) || !is_right(skb, at, place.at - at))
		return DROP_MALFORMED;
	if (header.ttl <= 1)
		return DROP_HOP_LIMIT;
	if (is_special_v4(header.destination))
		return DROP_DESTINATION;
	way->fib.family = AF_INET;
	way->fib.tos = header.traffic_class;
	way->fib.ipv4_src = header.source;
	way->fib.ipv4_dst = header.destination;
	way->fib.tot_len = bpf_ntohs(header.total_length);
	way->hop_limit = header.ttl;
	return GOES_ON;
}

/* Asks for the route; a neighbour that is not known yet is left to the kernel. */
static __always_inline int find_way(struct __sk_buff *skb, struct way *way)
{
	way->fib.ifindex = skb->ifindex;
	switch (bpf_fib_lookup(skb, &way->fib, sizeof(way->fib), 0)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return GOES_ON;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return DROP_TOO_BIG;
	}
	return DROP_NO_ROUTE;
}

static __always_inline int decapsulate(struct __sk_buff *skb, const struct way *way)
{
	__u8 hops = way->hop_limit - 1;
	__s32 removed = way->removed;

	if (!way->is_ipv4)
		return !bpf_skb_adjust_room(skb, -removed, BPF_ADJ_ROOM_MAC, 0) &&
		       !bpf_skb_store_bytes(skb, HOP_LIMIT_AT, &hops, 1, BPF_F_RECOMPUTE_CSUM);
	/* The rest is what IPv6 is longer than IPv4; taking that off makes it an IPv4 packet. */
	removed -= IPV6_OCTETS - IPV4_OCTETS;
	return !bpf_skb_adjust_room(skb, -removed, BPF_ADJ_ROOM_MAC, 0) &&
	       !bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0) &&
	       !bpf_l3_csum_replace(skb, IPV4_CHECKSUM_AT, bpf_htons(way->hop_limit << 8),
				    bpf_htons(hops << 8), 2) &&
	       !bpf_skb_store_bytes(skb, IPV4_TTL_AT, &hops, 1, BPF_F_RECOMPUTE_CSUM);
}

static __always_inline int advance(struct __sk_buff *skb, const struct way *way)
{
	__u8 hops = way->hop_limit - 1;

	if (bpf_skb_store_bytes(skb, DESTINATION_AT, &way->destination, 16, BPF_F_RECOMPUTE_CSUM) ||
	    bpf_skb_store_bytes(skb, HOP_LIMIT_AT, &hops, 1, BPF_F_RECOMPUTE_CSUM))
		return 0;
	return !way->segments_left_at ||
	       !bpf_skb_store_bytes(skb, way->segments_left_at, &way->segments_left, 1,
				    BPF_F_RECOMPUTE_CSUM);
}

static __always_inline int leave(const struct way *way)
{
	struct bpf_redir_neigh next_hop = { .nh_family = way->fib.family };

	__builtin_memcpy(next_hop.ipv6_nh, way->fib.ipv6_dst, 16);
	return bpf_redirect_neigh(way->fib.ifindex, &next_hop, sizeof(next_hop), 0);
}
