//! Segment Routing: label stacks, Segment Routing Headers and what is around them.
//!
//! | module | answers |
//! |---|---|
//! | [`mpls`] | which labels may follow each other, and how they are written |
//! | [`segment`] | which segments, in travel order |
//! | [`srh`] | how a list becomes a Segment Routing Header, and who wrote it |
//! | [`csid`] | how many segments go into one address |
//! | [`encapsulation`] | what is in front of a probe, and what cannot be |
//! | [`layers`] | what a packet is made of, where its timestamp goes |
//! | [`header`] | IPv4, IPv6 and UDP |
//! | [`checksum`] | what a checksum covers, and what it is after a change |
//! | [`protocol`] | how one header names the next |

pub mod checksum;
pub mod csid;
pub mod encapsulation;
pub mod header;
pub mod layers;
pub mod mpls;
pub mod protocol;
pub mod segment;
pub mod srh;
