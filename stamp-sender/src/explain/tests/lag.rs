//! Member links of a LAG.

use super::*;
use crate::output::record::{MicroSessionRecord, ToldRecord};

fn told(told: u64, refused: u64, changes: u64) -> MicroSessionRecord {
    MicroSessionRecord {
        replies: ToldRecord { told, refused, changes },
        member: "eth1".to_owned(),
        member_id: 1,
        far_member_id: (told > 0).then_some(3),
    }
}

#[test]
fn a_link_that_is_not_cabled_as_configured_is_named() {
    let mut session = examples::good();
    let before = kinds(&session);
    session.answers.micro_session = Some(told(10, 0, 0));
    assert_eq!(kinds(&session), before);
    session.packets.rejected_by_reason.insert("wrong_member".to_owned(), 4);
    let found = find(&session, "wrong_member");
    assert!(found.text.starts_with("4 replies of another member link than eth1"), "{}", found.text);
    session.answers.micro_session = Some(told(10, 0, 1));
    assert!(find(&session, "far_member_changed").text.contains("far end of eth1"));
}

#[test]
fn a_far_end_without_members_is_told_how_to_have_them() {
    let mut session = examples::good();
    session.tlvs.last = "unrecognized".to_owned();
    session.answers.micro_session = Some(told(0, 5, 0));
    let kinds = kinds(&session);
    assert!(kinds.contains(&"not_told") && !kinds.contains(&"tlvs"), "{kinds:?}");
    assert!(find(&session, "not_told").remedy.contains("lag-members"));
}
