//! A stack that keeps every rule, ready to be imposed.

use alloc::vec::Vec;

use super::check::{check, check_octets};
use super::entry::{LABEL_STACK_ENTRY_OCTETS, LabelStackEntry};
use super::label::{EntropyLabel, Label, LabelRole};
use super::{LabelEntries, StackError};
use crate::error::ParseError;
use crate::writer::Writer;

/// Label stack entries, top first: never empty, the bottom marked, every rule of
/// [`StackError`] kept.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct LabelStack {
    entries: Vec<LabelStackEntry>,
}

impl LabelStack {
    /// A stack of these entries; marks the last as the bottom and no other.
    ///
    /// # Errors
    ///
    /// The first rule of [`StackError`] that is broken.
    pub fn new(mut entries: Vec<LabelStackEntry>) -> Result<Self, StackError> {
        let last = entries.len().saturating_sub(1);
        for (position, entry) in entries.iter_mut().enumerate() {
            entry.bottom = position == last;
        }
        check(entries.iter().copied())?;
        Ok(Self { entries })
    }

    /// A stack of these labels, of class zero and with TTL 255; entropy labels have TTL 0.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn from_labels(labels: impl IntoIterator<Item = Label>) -> Result<Self, StackError> {
        let mut above = None;
        let entries = labels.into_iter().map(|label| {
            let role = LabelRole::below(above, label);
            above = Some(role);
            let ttl = if role == LabelRole::Entropy { 0 } else { u8::MAX };
            LabelStackEntry { ttl, ..LabelStackEntry::new(label) }
        });
        Self::new(entries.collect())
    }

    /// Reads octets that hold a stack and nothing else.
    ///
    /// # Errors
    ///
    /// [`StackError::NotWholeEntries`], [`StackError::NoBottom`], [`StackError::BelowBottom`] and
    /// every other rule that is broken.
    pub fn parse(octets: &[u8]) -> Result<Self, StackError> {
        check_octets(octets)?;
        Ok(Self { entries: LabelEntries::all(octets).collect() })
    }

    /// The same stack with a pair of indicator and entropy label below the entry at `below`, which
    /// has to be a segment label: so a pair never comes between the halves of another.
    ///
    /// The indicator has TTL and class of the label above it, the entropy label TTL 0, so that it
    /// is never forwarded by (RFC 6790 §4.2).
    ///
    /// # Errors
    ///
    /// [`StackError::EntropyPlace`] when there is no segment label at `below`.
    pub fn with_entropy(&self, below: usize, entropy: EntropyLabel) -> Result<Self, StackError> {
        let position = below.saturating_add(1);
        let above = self
            .roles()
            .nth(below)
            .filter(|(_, role)| *role == LabelRole::Segment)
            .map(|(entry, _)| entry)
            .ok_or(StackError::EntropyPlace { position })?;
        let indicator = LabelStackEntry { label: Label::ENTROPY_INDICATOR, ..above };
        let entropy = LabelStackEntry { label: entropy.label(), ttl: 0, ..above };
        let mut entries = self.entries.clone();
        entries.splice(position..position, [indicator, entropy]);
        Self::new(entries)
    }

    /// Refuses a stack of more labels than a node can impose (its MSD); nothing is ever left out.
    ///
    /// # Errors
    ///
    /// [`StackError::TooDeep`].
    pub const fn check_depth(&self, limit: usize) -> Result<(), StackError> {
        let labels = self.entries.len();
        if labels > limit { Err(StackError::TooDeep { labels, limit }) } else { Ok(()) }
    }

    /// Its entries, top first.
    #[must_use]
    pub fn entries(&self) -> &[LabelStackEntry] {
        &self.entries
    }

    /// Its entries with what each does, top first.
    pub fn roles(&self) -> impl Iterator<Item = (LabelStackEntry, LabelRole)> {
        self.entries.iter().scan(None, |above, entry| {
            let role = LabelRole::below(*above, entry.label);
            *above = Some(role);
            Some((*entry, role))
        })
    }

    /// How many labels it has.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.entries.len()
    }

    /// How many octets it takes.
    #[must_use]
    pub const fn encoded_octets(&self) -> usize {
        self.entries.len().saturating_mul(LABEL_STACK_ENTRY_OCTETS)
    }

    /// The label the first node acts on.
    #[must_use]
    pub fn top(&self) -> Label {
        // A stack is never empty.
        self.entries.first().map_or(Label::IMPLICIT_NULL, |entry| entry.label)
    }

    /// The explicit null at the bottom, which says what the packet below is.
    #[must_use]
    pub fn explicit_null(&self) -> Option<Label> {
        let (entry, role) = self.roles().last()?;
        (role == LabelRole::Special).then_some(entry.label)
    }

    /// Writes all entries.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for all; then nothing is written.
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let (needed, available) = (self.encoded_octets(), writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: "label stack", needed, available });
        }
        self.entries.iter().try_for_each(|entry| writer.put("label stack", entry.octets()))
    }
}
