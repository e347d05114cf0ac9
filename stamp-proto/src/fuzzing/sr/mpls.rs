//! Label stacks.

use crate::reader::Reader;
use crate::sr::mpls::{
    LabelEntries, LabelRole, LabelStack, LabelStackEntry, StackError, TopLabel, check,
};
use crate::writer::Writer;

const LARGEST: usize = 2048;

/// Octets as a stack that is asked for, and as one that arrived.
pub fn stack(octets: &[u8]) {
    let octets = &octets[..octets.len().min(LARGEST)];
    check_imposed(octets);
    check_received(octets);
}

/// What is taken is written as it was, keeps every rule, and is refused when it is cut or grows.
fn check_imposed(octets: &[u8]) {
    let Ok(stack) = LabelStack::parse(octets) else { return };
    let mut emitted = [0; LARGEST];
    let mut writer = Writer::new(&mut emitted);
    stack.emit(&mut writer).expect("what was parsed can be emitted");
    assert_eq!(writer.written(), octets);
    assert_eq!(check(stack.entries().iter().copied()), Ok(stack.depth()));
    assert_eq!(LabelStack::new(stack.entries().to_vec()), Ok(stack.clone()));
    assert!(LabelStack::parse(&octets[..octets.len() - 4]).is_err());
    assert_eq!(stack.check_depth(stack.depth()), Ok(()));
    assert!(stack.check_depth(stack.depth() - 1).is_err());
    let mut above = None;
    for (entry, role) in stack.roles() {
        assert_eq!(role, LabelRole::below(above, entry.label));
        assert_eq!(entry.ttl == 0, role == LabelRole::Entropy);
        let special = matches!(role, LabelRole::Special | LabelRole::Extension);
        assert!(!entry.label.is_special() || special || role == LabelRole::EntropyIndicator);
        above = Some(role);
    }
}

/// The walk ends at the bottom, and the top is what the first entries say.
fn check_received(octets: &[u8]) {
    let mut entries = LabelEntries::new(octets);
    let count = entries.by_ref().count();
    assert_eq!(octets.len() - entries.rest().len(), count * 4);
    assert!(entries.is_at_bottom() || entries.rest().len() < 4);
    let first = LabelStackEntry::parse(&mut Reader::new(octets));
    match TopLabel::read(octets) {
        Ok(top @ TopLabel::Plain(entry)) => {
            assert_eq!((Ok(entry), top.octets()), (first, 4));
            assert_eq!(top.is_bottom(), count == 1 && entries.is_at_bottom());
        }
        Ok(top @ TopLabel::Composite { label, entry }) => {
            assert_eq!(entry.label.value(), u32::from(label.value()));
            assert!(label.value() > 15 && top.octets() == 8 && count >= 2);
        }
        Err(StackError::Octets(_)) => assert!(octets.len() < 8),
        Err(StackError::ExtensionBottom { .. }) => assert_eq!(count, 1),
        Err(
            StackError::ReservedExtended { label, .. } | StackError::ExtendedRange { label, .. },
        ) => assert!(label.value() < 16 || label.value() > 255),
        Err(other) => unreachable!("the top of a stack is not judged by {other}"),
    }
}
