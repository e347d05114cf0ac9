//! A program on the ingress of one interface.

use std::fmt;

use aya::programs::links::LinkOrder;
use aya::programs::tc::{
    NlOptions, SchedClassifierLink, TcAttachOptions, qdisc_add_clsact, qdisc_detach_program,
};
use aya::programs::{SchedClassifier, TcAttachType};
use aya::util::KernelVersion;

use super::{PROGRAM, refused};
use crate::error::NetError;
use crate::interface;

/// How a program hangs on an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// By a descriptor: whatever ends the process takes it off. Since Linux 6.6.
    Link,
    /// As a filter of the queueing discipline `clsact`, which outlives a process that was killed.
    Filter,
}

impl Kind {
    fn of_this_kernel() -> Self {
        let links = KernelVersion::new(6, 6, 0);
        let has_links = KernelVersion::current().is_ok_and(|version| version >= links);
        if has_links { Self::Link } else { Self::Filter }
    }
}

/// Takes the program off when dropped.
pub(super) struct Hook {
    interface: u32,
    /// There but while it goes from one program to another.
    link: Option<SchedClassifierLink>,
}

impl Hook {
    pub(super) fn new(program: &mut SchedClassifier, name: &str) -> Result<Self, NetError> {
        let interface = interface::index_of(name)?;
        let options = match Kind::of_this_kernel() {
            Kind::Link => TcAttachOptions::TcxOrder(LinkOrder::first()),
            Kind::Filter => {
                // It is an error when it is there already; attaching tells whether it is there.
                let _ = qdisc_add_clsact(name);
                // One of before that was killed; an error means that there is none.
                let _ = qdisc_detach_program(name, TcAttachType::Ingress, PROGRAM);
                TcAttachOptions::Netlink(NlOptions::default())
            }
        };
        let attached = program.attach_with_options(name, TcAttachType::Ingress, options);
        let link = attached.and_then(|id| program.take_link(id)).map_err(refused)?;
        Ok(Self { interface, link: Some(link) })
    }

    pub(super) const fn interface(&self) -> u32 {
        self.interface
    }

    /// Another program hangs here from now on; when that is refused, none does.
    pub(super) fn take(&mut self, program: &mut SchedClassifier) -> Result<(), NetError> {
        let Some(link) = self.link.take() else { return Err(NetError::BpfObject) };
        let taken = program.attach_to_link(link).and_then(|id| program.take_link(id));
        self.link = Some(taken.map_err(refused)?);
        Ok(())
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("interface", &self.interface).finish_non_exhaustive()
    }
}
