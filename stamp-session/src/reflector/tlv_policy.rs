//! Whether TLVs of a type are acted upon at all, whatever their own rules say.

use stamp_proto::tlv::TlvType;

use crate::tlv;

/// What becomes of the TLVs of one type.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TlvAction {
    /// They are acted upon, as far as their own rules allow.
    #[default]
    Allow,
    /// They come back with U: to the Session-Sender the type is unknown here.
    Refuse,
    /// They come back as they were, with U and C: the type is known here, and nothing was done. U
    /// keeps a Session-Sender that does not know C from reading them.
    Ignore,
}

/// What becomes of TLVs by their type; those that nobody named are acted upon.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TlvActions(Vec<(TlvType, TlvAction)>);

impl TlvActions {
    /// All are acted upon.
    pub const ALLOWED: Self = Self(Vec::new());

    /// The types that something can be said of: all that are acted upon but Extra Padding, which asks
    /// for nothing, and HMAC, which is no wish but the proof of those beside it.
    pub fn types() -> impl Iterator<Item = TlvType> {
        tlv::governed()
    }

    /// Says what becomes of one type; later words count.
    pub fn set(&mut self, kind: TlvType, action: TlvAction) {
        self.0.retain(|(other, _)| *other != kind);
        if action != TlvAction::Allow {
            self.0.push((kind, action));
        }
    }

    /// What becomes of one type.
    #[must_use]
    pub fn of(&self, kind: TlvType) -> TlvAction {
        let named = self.0.iter().find(|(other, _)| *other == kind);
        named.map_or(TlvAction::Allow, |(_, action)| *action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_a_type_counts() {
        let mut actions = TlvActions::ALLOWED;
        actions.set(TlvType::LOCATION, TlvAction::Refuse);
        actions.set(TlvType::RETURN_PATH, TlvAction::Ignore);
        actions.set(TlvType::LOCATION, TlvAction::Ignore);
        assert_eq!(actions.of(TlvType::LOCATION), TlvAction::Ignore);
        assert_eq!(actions.of(TlvType::CLASS_OF_SERVICE), TlvAction::Allow);
        actions.set(TlvType::LOCATION, TlvAction::Allow);
        actions.set(TlvType::RETURN_PATH, TlvAction::Allow);
        assert_eq!(actions, TlvActions::ALLOWED);
    }

    #[test]
    fn nothing_is_said_of_padding_and_proof() {
        let types: Vec<TlvType> = TlvActions::types().collect();
        assert!(types.contains(&TlvType::LOCATION) && types.contains(&TlvType::RETURN_PATH));
        assert!(!types.contains(&TlvType::EXTRA_PADDING) && !types.contains(&TlvType::HMAC));
    }
}
