/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* What the loader fills in, and what it reads back. `src/tc/tables.rs` is the other side. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Why a packet ends here: the first counters, in the order of `DropReason` in `src/tc/count.rs`. */
enum drop {
	DROP_MALFORMED,
	DROP_INTERFACE,
	DROP_SECOND_TIMESTAMP,
	DROP_HOP_LIMIT,
	DROP_UPPER_LAYER,
	DROP_DESTINATION,
	DROP_RATE_LIMITED,
	DROP_NO_ROUTE,
	DROP_TOO_BIG,
	DROP_SEND_ERROR,
	DROPS,
};

/* Instead of a reason to drop it. */
#define GOES_ON -1

/* What became of a packet that goes on; each rule has a counter for each, behind the drops. The
 * order is that of `Handling` in `src/tc/count.rs`. */
enum handling {
	STAMPED,
	UNSTAMPED_FRAGMENT,
	UNSTAMPED_NOT_UDP,
	UNSTAMPED_UNREADABLE,
	UNSTAMPED_FOREIGN_PORT,
	UNSTAMPED_TOO_SHORT,
	HANDLINGS,
};

enum format { FORMAT_PTP, FORMAT_NTP };

/* A timestamp label or an End.TSF SID. Words only, so that both sides agree about the layout. */
struct rule {
	__u64 slots;       /* one bit for each interface that it is accepted on */
	__u64 interval_ns; /* between two packets at the rate limit; 0 without one */
	__u64 offset;      /* of T2 in the UDP payload */
	__u64 ahead_s;     /* by how much PTP seconds are ahead of UTC; signed */
	__u64 format;
	__u64 some_ports;  /* only those in `ports` */
	__u64 block_bits;  /* NEXT-CSID: of the block, */
	__u64 own_bits;    /* and of what is shifted out; 0 without the flavour */
};

struct sid_key {
	__u32 bits;
	__be32 address[4];
};

/* One entry: TAI - UTC in nanoseconds. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} tai_offset SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rule);
} rules SEC(".maps");

/* The most specific SID that holds an address; rule. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sid_key);
	__type(value, __u32);
} sids SEC(".maps");

/* Label; rule. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} labels SEC(".maps");

/* Number of an interface; its bit in `slots`. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} interfaces SEC(".maps");

/* Rule << 16 | UDP port; nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

/* For each rule the instant at which its packets so far would have come, had they kept to the
 * limit. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} budgets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROPS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 at)
{
	__u64 *counter = bpf_map_lookup_elem(&counters, &at);

	if (counter)
		(*counter)++;
}
