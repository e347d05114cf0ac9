//! What the kernel does about labels.

use netlink_packet_route::route::{
    MplsLabel, RouteAddress, RouteAttribute, RouteFlags, RouteMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use stamp_proto::sr::mpls::Label;

use crate::error::NetError;
use crate::netlink::{self, Refusal};

/// The kernel has a route for packets with this label on top. One without MPLS has none.
///
/// # Errors
///
/// [`NetError::Call`] and [`NetError::Netlink`] when the question cannot be put.
pub fn label_is_known(label: Label) -> Result<bool, NetError> {
    let mut question = RouteMessage::default();
    question.header.address_family = AddressFamily::Mpls;
    question.header.destination_prefix_length = 20;
    // The route itself; without the flag, the way of one packet is asked for.
    question.header.flags = RouteFlags::FibMatch;
    let label = MplsLabel { label: label.value(), traffic_class: 0, bottom_of_stack: true, ttl: 0 };
    question.attributes = vec![RouteAttribute::Destination(RouteAddress::Mpls(label))];
    match netlink::get(RouteNetlinkMessage::GetRoute(question)) {
        Ok(_) => Ok(true),
        Err(Refusal::Kernel(_)) => Ok(false),
        // Its answer was more than this needs to understand.
        Err(Refusal::Unreadable) => Ok(true),
        Err(refusal) => Err(refusal.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_nobody_configured_has_no_route() {
        assert!(!label_is_known(Label::new(1_048_000).unwrap()).unwrap());
    }
}
