// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/* Writes the receive time into test packets at the ingress of an interface.
 *
 * A packet to an End.TSF SID is stamped, taken to its next segment and sent on by the kernel's
 * routes. A packet below a timestamp label is stamped and left to the kernel, which pops the label.
 * Everything else passes untouched. `README.md` tells how it is built. */

#include "sid.h"

/* Explicit nulls above a label are popped by the kernel. */
#define MOST_NULLS 2
#define IPV4_EXPLICIT_NULL 0
#define IPV6_EXPLICIT_NULL 2

/* The license that some helpers of the kernel ask for. */
char permission[] SEC("license") = "Dual MIT/GPL";

static __always_inline int drop(enum drop reason)
{
	count(reason);
	return TC_ACT_SHOT;
}

static __always_inline int is_accepted(struct __sk_buff *skb, const struct rule *rule)
{
	__u32 number = skb->ifindex;
	__u32 *slot = bpf_map_lookup_elem(&interfaces, &number);

	return slot && (rule->slots >> (*slot & 63)) & 1;
}

/* One packet more, if the rule may have one: the instants of packets at the limit are reserved one
 * after the other, up to a tenth of a second ahead. */
static __always_inline int has_budget(__u32 at, const struct rule *rule)
{
	__u64 *budget = bpf_map_lookup_elem(&budgets, &at);
	__u64 now, seen, due;
	int attempt;

	if (!rule->interval_ns || !budget)
		return 1;
	now = bpf_ktime_get_ns();
	UNROLL
	for (attempt = 0; attempt < 4; attempt++) {
		seen = *(volatile __u64 *)budget;
		due = seen > now ? seen : now;
		if (due - now > NS_PER_S / 10)
			return 0;
		due = due > ~0ULL - rule->interval_ns ? ~0ULL : due + rule->interval_ns;
		if (__sync_val_compare_and_swap(budget, seen, due) == seen)
			return 1;
	}
	/* Four other processors were quicker: this packet is one of many. */
	return 0;
}

/* Writes T2 where it was found to belong. */
static __always_inline int stamp(struct __sk_buff *skb, const struct rule *rule,
				 const struct found *found)
{
	if (found->handling == STAMPED && !write_timestamp(skb, rule, found))
		return drop(DROP_SEND_ERROR);
	return GOES_ON;
}

static __always_inline void count_handled(__u32 rule, enum handling handling)
{
	count(DROPS + rule * HANDLINGS + handling);
}

static __always_inline int handle_ipv6(struct __sk_buff *skb)
{
	struct place place = { .at = ETH_HLEN, .end = skb->len, .kind = KIND_IP };
	struct sid_key key = { .bits = 128 };
	struct way way = {};
	struct ipv6 header;
	struct found found;
	struct rule *rule;
	__u32 *at, rule_at;
	int refused;

	if (ip_version(skb, &place) != 6 || !take_ipv6(skb, &place, &header))
		return TC_ACT_UNSPEC;
	__builtin_memcpy(key.address, &header.destination, 16);
	at = bpf_map_lookup_elem(&sids, &key);
	if (!at)
		return TC_ACT_UNSPEC;
	rule_at = *at;
	rule = bpf_map_lookup_elem(&rules, &rule_at);
	if (!rule)
		return TC_ACT_UNSPEC;
	if (!is_accepted(skb, rule))
		return drop(DROP_INTERFACE);
	refused = decide(skb, rule, &header, &place, &way);
	if (refused >= 0)
		return drop(refused);
	if (way.removed) {
		place.at = ETH_HLEN + way.removed;
		place.kind = KIND_IP;
	} else {
		place.at = ETH_HLEN + IPV6_OCTETS;
		place.end = place.at + bpf_ntohs(header.payload_length);
		place.kind = header.next_header;
	}
	find(skb, &place, rule_at, rule, &found);
	if (!has_budget(rule_at, rule))
		return drop(DROP_RATE_LIMITED);
	if (found.udp) {
		way.fib.l4_protocol = IPPROTO_UDP;
		way.fib.sport = found.header.source_port;
		way.fib.dport = found.header.destination_port;
	}
	refused = find_way(skb, &way);
	if (refused >= 0)
		return drop(refused);
	refused = stamp(skb, rule, &found);
	if (refused >= 0)
		return refused;
	if (way.removed ? !decapsulate(skb, &way) : !advance(skb, &way))
		return drop(DROP_SEND_ERROR);
	count_handled(rule_at, found.handling);
	return leave(&way);
}

static __always_inline int handle_mpls(struct __sk_buff *skb)
{
	struct place place = { .at = ETH_HLEN, .end = skb->len, .kind = KIND_MPLS };
	__u32 entry, label, *at, rule_at;
	struct found found;
	struct rule *rule;
	__be32 read;
	int above;

	UNROLL
	for (above = 0; above <= MOST_NULLS; above++) {
		if (!TAKE(skb, &place, read))
			return TC_ACT_UNSPEC;
		entry = bpf_ntohl(read);
		place.at += 4;
		label = LABEL(entry);
		if (BOTTOM(entry) || (label != IPV4_EXPLICIT_NULL && label != IPV6_EXPLICIT_NULL))
			break;
	}
	at = bpf_map_lookup_elem(&labels, &label);
	if (!at)
		return TC_ACT_UNSPEC;
	rule_at = *at;
	rule = bpf_map_lookup_elem(&rules, &rule_at);
	if (!rule)
		return TC_ACT_UNSPEC;
	if (!TTL(entry))
		return drop(DROP_HOP_LIMIT);
	if (!is_accepted(skb, rule))
		return drop(DROP_INTERFACE);
	if (BOTTOM(entry)) {
		place.kind = KIND_IP;
	} else {
		if (!TAKE(skb, &place, read))
			return drop(DROP_MALFORMED);
		label = LABEL(bpf_ntohl(read));
		if (bpf_map_lookup_elem(&labels, &label))
			return drop(DROP_SECOND_TIMESTAMP);
	}
	find(skb, &place, rule_at, rule, &found);
	if (!has_budget(rule_at, rule))
		return drop(DROP_RATE_LIMITED);
	if (stamp(skb, rule, &found) >= 0)
		return TC_ACT_SHOT;
	count_handled(rule_at, found.handling);
	return TC_ACT_UNSPEC;
}

SEC("classifier")
int stamp_and_forward(struct __sk_buff *skb)
{
	/* A bridge or a listener may have asked for what is for others; VLANs have interfaces of
	 * their own. */
	if (skb->pkt_type || skb->vlan_present)
		return TC_ACT_UNSPEC;
	switch (skb->protocol) {
	case bpf_htons(ETH_P_IPV6):
		return handle_ipv6(skb);
	case bpf_htons(ETH_P_MPLS_UC):
		return handle_mpls(skb);
	}
	return TC_ACT_UNSPEC;
}
