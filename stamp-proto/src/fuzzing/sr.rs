//! Label stacks, Segment Routing Headers, compressed SIDs and whole packets.

pub mod csid;
pub mod layers;
pub mod mpls;
pub mod srh;
