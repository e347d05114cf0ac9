//! The UDP sockets of one port, by `sock_diag(7)`.

use std::net::SocketAddr;

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_UDP};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
};

use super::UdpSocket;
use crate::error::NetError;
use crate::netlink;

/// The sockets at `port`, of both versions of IP.
///
/// The kernel compares ports while it walks its table, so that the few it finds go into one part of
/// an answer, and sockets that come and go meanwhile hide none.
///
/// # Errors
///
/// [`NetError::Call`] when the kernel cannot be asked so.
pub(super) fn sockets(port: u16) -> Result<Vec<UdpSocket>, NetError> {
    let mut sockets = Vec::new();
    for (family, any) in [(AF_INET, SocketId::new_v4()), (AF_INET6, SocketId::new_v6())] {
        let question = InetRequest {
            family,
            protocol: IPPROTO_UDP,
            extensions: ExtensionFlags::empty(),
            states: StateFlags::all(),
            socket_id: SocketId { source_port: port, ..any },
        };
        let told = netlink::dump(SockDiagMessage::InetRequest(question))?;
        sockets.extend(told.into_iter().filter_map(|message| match message {
            SockDiagMessage::InetResponse(response) => Some(socket(&response)),
            _ => None,
        }));
    }
    Ok(sockets)
}

fn socket(response: &InetResponse) -> UdpSocket {
    let id = &response.header.socket_id;
    UdpSocket {
        local: SocketAddr::new(id.source_address, id.source_port),
        inode: response.header.inode.into(),
        both_versions: response.nlas.contains(&Nla::SkV6Only(false)),
    }
}
