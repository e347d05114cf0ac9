//! The micro session on one member link of a LAG (RFC 9534 §2).

use stamp_proto::tlv::micro_session_id::{MemberLinkId, MicroSessionId};

use super::Sender;
use super::answers::Told;
use super::reason::RejectReason;

/// The member link that a session keeps to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MicroSession {
    /// What we call it.
    pub id: MemberLinkId,
    /// What the far end calls it, where the operator knows; else it is learned.
    pub far: Option<MemberLinkId>,
    /// Index of the interface at which its replies arrive.
    pub interface: u32,
}

/// What is known of the far end of the link.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FarMember {
    id: Option<MemberLinkId>,
}

impl FarMember {
    pub(super) fn new(session: Option<MicroSession>) -> Self {
        Self { id: session.and_then(|session| session.far) }
    }

    /// What probes tell the far end that they expect.
    pub(super) const fn id(self) -> Option<MemberLinkId> {
        self.id
    }

    /// Whether a reply is one of this micro session: it came in on its link, and names it as it was
    /// named before. A far end that knows no micro sessions says nothing of links.
    pub(super) fn check(
        self,
        session: MicroSession,
        interface: u32,
        told: Told<MicroSessionId>,
    ) -> Result<(), RejectReason> {
        let elsewhere = interface != 0 && interface != session.interface;
        let sent = MicroSessionId { sender: Some(session.id), reflector: self.id };
        let answers = told.told().is_none_or(|told| told.answers(&sent, session.id));
        if elsewhere || !answers { Err(RejectReason::Member) } else { Ok(()) }
    }

    /// From now on this is what the far end calls its link.
    pub(super) fn learn(&mut self, told: Told<MicroSessionId>) {
        self.id = told.told().and_then(|told| told.reflector).or(self.id);
    }
}

impl Sender {
    /// What is known of the far end of the link; nothing where the session keeps to none.
    pub(super) fn far_member(&self) -> FarMember {
        self.seldom.as_deref().map(|seldom| seldom.far_member).unwrap_or_default()
    }

    /// What a reply says of the far end of the link.
    pub(super) fn learn_far_member(&mut self, told: Told<MicroSessionId>) {
        if let Some(seldom) = self.seldom.as_deref_mut() {
            seldom.far_member.learn(told);
        }
    }

    /// Who comes back may have other names for its links.
    pub(super) fn forget_far_member(&mut self) {
        if let Some(seldom) = self.seldom.as_deref_mut() {
            seldom.far_member = FarMember::new(self.config.requests.micro_session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u16) -> Option<MemberLinkId> {
        MemberLinkId::new(value)
    }

    fn told(sender: u16, reflector: u16) -> Told<MicroSessionId> {
        Told::Told(MicroSessionId { sender: id(sender), reflector: id(reflector) })
    }

    #[test]
    fn a_reply_belongs_to_the_link_it_names_and_came_in_on() {
        let session = MicroSession { id: id(1).unwrap(), far: None, interface: 5 };
        let mut far = FarMember::new(Some(session));
        assert_eq!(far.check(session, 5, told(1, 8)), Ok(()));
        assert_eq!(far.check(session, 0, told(1, 8)), Ok(()), "the platform does not tell");
        for (interface, told) in [(6, told(1, 8)), (5, told(2, 8)), (5, told(1, 0))] {
            assert_eq!(far.check(session, interface, told), Err(RejectReason::Member));
        }
        far.learn(told(1, 8));
        assert_eq!(far.id(), id(8));
        assert_eq!(far.check(session, 5, told(1, 8)), Ok(()));
        assert_eq!(far.check(session, 5, told(1, 9)), Err(RejectReason::Member));
        assert_eq!(far.check(session, 5, Told::Refused), Ok(()), "it knows no links");
        far.learn(Told::Refused);
        assert_eq!(far.id(), id(8));
    }

    #[test]
    fn what_the_operator_knows_need_not_be_learned() {
        let session = MicroSession { id: id(1).unwrap(), far: id(3), interface: 5 };
        let far = FarMember::new(Some(session));
        assert_eq!(far.id(), id(3));
        assert_eq!(far.check(session, 5, told(1, 4)), Err(RejectReason::Member));
    }
}
