//! Keys for link aggregation groups.

use super::super::key::Key;
use super::super::words::InterfaceName;

/// The member links.
pub(crate) const LAG_MEMBERS: Key<InterfaceName> = Key::new(
    "lag-members",
    super::ANSWERING,
    "Member links of a LAG, each with its number from 1 on in this order, for probes that name theirs \
     (RFC 9534): a reply leaves by the member its probe came in on, and a probe for another member \
     is discarded. A bond stands for its members, which need CAP_NET_RAW.",
)
.value("IF")
.default("[]")
.many();
