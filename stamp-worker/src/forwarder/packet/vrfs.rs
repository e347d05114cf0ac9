//! Which VRF the packets of an interface are in.

use std::sync::Arc;

use stamp_net::{NetError, interface};

/// The VRFs of all interfaces that are in one.
#[derive(Debug)]
pub(super) struct Vrfs(Vec<(u32, Vrf)>);

/// A VRF.
#[derive(Clone, Debug)]
pub(super) struct Vrf {
    pub(super) number: u32,
    pub(super) name: Arc<str>,
}

impl Vrfs {
    /// As they are now.
    pub(super) fn look() -> Result<Self, NetError> {
        let all = interface::list()?;
        let members = all.iter().filter_map(|link| {
            let vrf = interface::vrf_of(link, &all)?;
            Some((link.index, Vrf { number: vrf.index, name: vrf.name.as_str().into() }))
        });
        Ok(Self(members.collect()))
    }

    pub(super) fn of(&self, interface: u32) -> Option<&Vrf> {
        self.0.iter().find(|(number, _)| *number == interface).map(|(_, vrf)| vrf)
    }
}
