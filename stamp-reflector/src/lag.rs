//! The member links of LAGs (RFC 9534 §2).

use stamp_net::interface;
use stamp_proto::tlv::micro_session_id::MemberLinkId;
use stamp_session::reflector::MemberLink;

use crate::config::InterfaceName;
use crate::failure::Failure;

/// The links that `names` stand for, numbered from 1 on; a bond stands for its members.
///
/// # Errors
///
/// The first name that is no interface's.
pub(crate) fn member_links(names: &[InterfaceName]) -> Result<Vec<MemberLink>, Failure> {
    let mut links = Vec::new();
    for name in names {
        for member in interface::members(&name.0).map_err(Failure::Lag)? {
            let id = u16::try_from(links.len() + 1).ok().and_then(MemberLinkId::new);
            let interface = member.index;
            links.extend(id.map(|id| MemberLink { interface, id }));
        }
    }
    Ok(links)
}
