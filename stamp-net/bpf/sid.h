/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* Packets to an End.TSF SID: what `forwarding/sids.rs` of stamp-session decides. */
#pragma once

#include "forward.h"

/* Octets of an address that are moved up by `bits`; zeros follow. */
static __always_inline void shift_left(__u64 *high, __u64 *low, __u32 bits)
{
	if (bits >= 64) {
		*high = bits < 128 ? *low << (bits - 64) : 0;
		*low = 0;
	} else if (bits) {
		*high = *high << bits | *low >> (64 - bits);
		*low <<= bits;
	}
}

static __always_inline void shift_right(__u64 *high, __u64 *low, __u32 bits)
{
	if (bits >= 64) {
		*low = bits < 128 ? *high >> (bits - 64) : 0;
		*high = 0;
	} else if (bits) {
		*low = *low >> bits | *high << (64 - bits);
		*high >>= bits;
	}
}

/* What NEXT-CSID makes of the address (RFC 9800 §4.1), if a compressed SID is behind ours. */
static __always_inline int shifted(const struct rule *rule, const struct address *from,
				   struct address *to)
{
	__u64 high = bpf_be64_to_cpu(from->high), low = bpf_be64_to_cpu(from->low);
	__u64 block_high = ~0ULL, block_low = ~0ULL;

	if (!rule->own_bits)
		return 0;
	shift_left(&block_high, &block_low, 128 - (__u32)rule->block_bits);
	block_high &= high;
	block_low &= low;
	shift_left(&high, &low, rule->block_bits + rule->own_bits);
	if (!high && !low)
		return 0;
	shift_right(&high, &low, rule->block_bits);
	to->high = bpf_cpu_to_be64(block_high | high);
	to->low = bpf_cpu_to_be64(block_low | low);
	return 1;
}

/* The walk is not over. */
#define FURTHER -2

/* One header further towards the next segment of the list, or the packet behind its end. */
static __noinline int towards(struct __sk_buff *skb, struct place *place, struct way *way)
{
	__u32 at = place->at;
	struct srh srh;
	struct udp udp;

	switch (place->kind) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		switch (ip_version(skb, place)) {
		case 4:
			return inner_v4(skb, *place, way);
		case 6:
			return inner_v6(skb, *place, way);
		}
		return DROP_MALFORMED;
	case IPPROTO_ROUTING:
		if (routing_type(skb, place) != SRH_ROUTING_TYPE)
			return take_extension(skb, place) ? DROP_UPPER_LAYER : DROP_MALFORMED;
		if (!take_srh(skb, place, &srh))
			return DROP_MALFORMED;
		if (!srh.segments_left)
			return FURTHER;
		way->segments_left = srh.segments_left - 1;
		way->segments_left_at = at + 3;
		at += SRH_FIXED_OCTETS + way->segments_left * 16;
		return bpf_skb_load_bytes(skb, at, &way->destination, 16) ? DROP_MALFORMED : GOES_ON;
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		return take_extension(skb, place) ? FURTHER : DROP_MALFORMED;
	case IPPROTO_UDP:
		return take_udp(skb, place, &udp) ? DROP_UPPER_LAYER : DROP_MALFORMED;
	case IPPROTO_FRAGMENT:
		return place->at + 8 <= place->end ? DROP_UPPER_LAYER : DROP_MALFORMED;
	}
	return DROP_UPPER_LAYER;
}

static __always_inline int next_segment(struct __sk_buff *skb, struct place *place, struct way *way)
{
	int layer, found;

	UNROLL
	for (layer = 0; layer < MOST_LAYERS; layer++) {
		found = towards(skb, place, way);
		if (found != FURTHER)
			return found;
	}
	return DROP_MALFORMED;
}

/* What the SID asks for. */
static __always_inline int decide(struct __sk_buff *skb, const struct rule *rule,
				  const struct ipv6 *header, struct place *place, struct way *way)
{
	int refused;

	if (!shifted(rule, &header->destination, &way->destination)) {
		refused = next_segment(skb, place, way);
		if (refused >= 0 || way->removed)
			return refused;
	}
	if (header->hop_limit <= 1)
		return DROP_HOP_LIMIT;
	if (is_special_v6(&way->destination))
		return DROP_DESTINATION;
	ask_v6(way, header);
	way->fib.tot_len = IPV6_OCTETS + bpf_ntohs(header->payload_length);
	return GOES_ON;
}
