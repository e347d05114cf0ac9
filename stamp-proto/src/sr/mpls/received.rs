//! Stacks as they arrive: read with patience, for a node acts on the top only.

use super::StackError;
use super::entry::LabelStackEntry;
use super::label::{ExtendedLabel, Label, LabelRole};
use crate::reader::Reader;

/// Entries from the top of a packet down to the bottom of its stack.
#[derive(Clone, Copy, Debug)]
pub struct LabelEntries<'a> {
    reader: Reader<'a>,
    past_bottom: bool,
    ended: bool,
}

impl<'a> LabelEntries<'a> {
    /// Walks down to the entry that is marked as the bottom; [`Self::rest`] is the packet then.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { reader: Reader::new(octets), past_bottom: false, ended: false }
    }

    /// Walks over all whole entries, below the bottom too.
    #[must_use]
    pub const fn all(octets: &'a [u8]) -> Self {
        Self { reader: Reader::new(octets), past_bottom: true, ended: false }
    }

    /// The entry marked as the bottom was reached.
    #[must_use]
    pub const fn is_at_bottom(&self) -> bool {
        self.ended
    }

    /// What was not walked over yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }
}

impl Iterator for LabelEntries<'_> {
    type Item = LabelStackEntry;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended && !self.past_bottom {
            return None;
        }
        let entry = LabelStackEntry::parse(&mut self.reader).ok()?;
        self.ended = entry.bottom;
        Some(entry)
    }
}

/// What the top of a stack asks of the node that received it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TopLabel {
    /// One entry.
    Plain(LabelStackEntry),
    /// Two entries, to be popped together: an extended label has no meaning without the other.
    Composite {
        /// The label below the Extension Label.
        label: ExtendedLabel,
        /// Its entry, the lower of the two.
        entry: LabelStackEntry,
    },
}

impl TopLabel {
    /// Reads the top of a stack.
    ///
    /// # Errors
    ///
    /// All of them mean that the packet is dropped: [`StackError::Octets`] when entries are
    /// missing, [`StackError::ExtensionBottom`], [`StackError::ReservedExtended`] for a value that
    /// must not follow the Extension Label (RFC 9017 §3), [`StackError::ExtendedRange`].
    pub fn read(octets: &[u8]) -> Result<Self, StackError> {
        let mut reader = Reader::new(octets);
        let top = LabelStackEntry::parse(&mut reader)?;
        if LabelRole::below(None, top.label) != LabelRole::Extension {
            return Ok(Self::Plain(top));
        }
        if top.bottom {
            return Err(StackError::ExtensionBottom { position: 0 });
        }
        let entry = LabelStackEntry::parse(&mut reader)?;
        let position = 1;
        match u8::try_from(entry.label.value()).map(ExtendedLabel::new) {
            Ok(Some(label)) => Ok(Self::Composite { label, entry }),
            Ok(None) => Err(StackError::ReservedExtended { label: entry.label, position }),
            Err(_) => Err(StackError::ExtendedRange { label: entry.label, position }),
        }
    }

    /// Octets to pop.
    #[must_use]
    pub const fn octets(&self) -> usize {
        match self {
            Self::Plain(_) => 4,
            Self::Composite { .. } => 8,
        }
    }

    /// Nothing but the packet is below.
    #[must_use]
    pub const fn is_bottom(&self) -> bool {
        match self {
            Self::Plain(entry) | Self::Composite { entry, .. } => entry.bottom,
        }
    }

    /// The plain label on top, if it is one.
    #[must_use]
    pub const fn plain(&self) -> Option<Label> {
        match self {
            Self::Plain(entry) => Some(entry.label),
            Self::Composite { .. } => None,
        }
    }
}
