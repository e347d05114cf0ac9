/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* Headers of a packet from the outside inwards, judged exactly as `stamp_proto::sr::layers` does. */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>

#include "tables.h"

/* Headers that are looked at, at most; what has more cannot be read. */
#define MOST_LAYERS 16
/* Loops are written out: checkers before Linux 6.4 refuse some of what compilers make of them. */
#define UNROLL _Pragma("clang loop unroll(full)")

#define IPV6_OCTETS 40
#define SRH_FIXED_OCTETS 8
#define UDP_OCTETS 8
#define SRH_ROUTING_TYPE 4
#define PROTOCOL_ETHERNET 143

/* Of the first four octets of a label stack entry. */
#define LABEL(entry) ((entry) >> 12)
#define BOTTOM(entry) ((entry) & 0x100)
#define TTL(entry) ((entry) & 0xff)

/* What a header is said to be. Protocol numbers stand for themselves. */
enum kind {
	KIND_IP = 0x100, /* IPv4 or IPv6, as its first four bits say */
	KIND_MPLS,
	KIND_TYPE, /* as the two octets before it say */
	KIND_NOTHING,
};

/* Where the walk is. */
struct place {
	__u32 at;   /* of the header */
	__u32 end;  /* of what belongs to the packet */
	__u32 kind; /* of the header */
};

struct ipv4 {
	__u8 version_words;
	__u8 traffic_class;
	__be16 total_length;
	__be16 identification;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__be32 source;
	__be32 destination;
};

struct address {
	__be64 high;
	__be64 low;
};

struct ipv6 {
	__be32 flow;
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	struct address source;
	struct address destination;
};

struct srh {
	__u8 next_header;
	__u8 units;
	__u8 type;
	__u8 segments_left;
	__u8 last_entry;
	__u8 flags;
	__be16 tag;
};

struct udp {
	__be16 source_port;
	__be16 destination_port;
	__be16 length;
	__u16 checksum;
};

/* Reads a whole header that has to lie before the end. */
#define TAKE(skb, place, header)                                                                   \
	((place)->at + sizeof(header) <= (place)->end &&                                           \
	 !bpf_skb_load_bytes(skb, (place)->at, &(header), sizeof(header)))

static __always_inline int is_piece(const struct ipv4 *header)
{
	return !!(header->fragment & bpf_htons(0x3fff));
}

static __always_inline int take_ipv4(struct __sk_buff *skb, struct place *place,
				     struct ipv4 *header)
{
	__u32 octets, total;

	if (!TAKE(skb, place, *header))
		return 0;
	octets = (header->version_words & 0x0f) * 4;
	total = bpf_ntohs(header->total_length);
	if (octets < sizeof(*header) || total < octets || place->at + total > place->end)
		return 0;
	place->end = place->at + total;
	place->at += octets;
	place->kind = header->protocol;
	return 1;
}

static __always_inline int take_ipv6(struct __sk_buff *skb, struct place *place,
				     struct ipv6 *header)
{
	__u32 end;

	if (!TAKE(skb, place, *header))
		return 0;
	place->at += sizeof(*header);
	end = place->at + bpf_ntohs(header->payload_length);
	if (end > place->end)
		return 0;
	place->end = end;
	place->kind = header->next_header;
	return 1;
}

/* 4 or 6; anything else when there is none. */
static __always_inline __u8 ip_version(struct __sk_buff *skb, const struct place *place)
{
	__u8 first;

	return TAKE(skb, place, first) ? first >> 4 : 0;
}

/* A Segment Routing Header. */
static __always_inline int take_srh(struct __sk_buff *skb, struct place *place, struct srh *header)
{
	if (!TAKE(skb, place, *header))
		return 0;
	if (header->last_entry >= header->units / 2 ||
	    header->segments_left > header->last_entry + 1)
		return 0;
	place->at += SRH_FIXED_OCTETS + header->units * 8;
	place->kind = header->next_header;
	return place->at <= place->end;
}

/* An extension header of which only the length matters. */
static __always_inline int take_extension(struct __sk_buff *skb, struct place *place)
{
	__u8 begin[2];

	if (!TAKE(skb, place, begin))
		return 0;
	place->at += 8 + begin[1] * 8;
	place->kind = begin[0];
	return place->at <= place->end;
}

/* The routing type, or -1. */
static __always_inline int routing_type(struct __sk_buff *skb, const struct place *place)
{
	__u8 begin[3];

	return TAKE(skb, place, begin) ? begin[2] : -1;
}

static __always_inline int take_udp(struct __sk_buff *skb, struct place *place, struct udp *header)
{
	__u32 length;

	if (!TAKE(skb, place, *header))
		return 0;
	length = bpf_ntohs(header->length);
	if (length < UDP_OCTETS || place->at + length > place->end)
		return 0;
	place->end = place->at + length;
	return 1;
}
