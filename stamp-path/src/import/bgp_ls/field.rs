//! Values of a JSON document, with where they stand.

use serde_json::Value;

use super::BgpLsError;

/// A value, the key it stands under, and the route that holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'d> {
    pub(super) value: &'d Value,
    pub(super) route: &'d str,
    pub(super) key: &'static str,
}

impl<'d> Field<'d> {
    /// What stands under the first of `keys` that is there and not null; forms spell keys each their own way.
    pub(super) fn get(self, keys: &[&'static str]) -> Option<Self> {
        let found = |key: &&'static str| {
            let value = self.value.get(*key).filter(|value| !value.is_null())?;
            Some(Self { value, key, ..self })
        };
        keys.iter().find_map(found)
    }

    pub(super) fn require(self, keys: &[&'static str]) -> Result<Self, BgpLsError> {
        let key = keys.first().copied().unwrap_or_default();
        let missing = || BgpLsError::Missing { route: self.route.to_owned(), key };
        self.get(keys).ok_or_else(missing)
    }

    pub(super) fn wrong(self, expected: &'static str) -> BgpLsError {
        let mut value = self.value.to_string();
        if let Some((end, _)) = value.char_indices().nth(60) {
            value.truncate(end);
            value.push('\u{2026}');
        }
        BgpLsError::Value { route: self.route.to_owned(), key: self.key, value, expected }
    }

    /// A number; JSON of messages has large ones as text.
    pub(super) fn number(self) -> Result<u32, BgpLsError> {
        let read = match self.value {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        read.ok_or_else(|| self.wrong("a number from 0 to 4294967295"))
    }

    /// Like [`Self::number`]; a message cannot tell 0 from none.
    pub(super) fn positive(self) -> Result<Option<u32>, BgpLsError> {
        Ok(Some(self.number()?).filter(|number| *number > 0))
    }

    pub(super) fn real(self) -> Result<f64, BgpLsError> {
        self.value.as_f64().ok_or_else(|| self.wrong("a number"))
    }

    pub(super) fn text(self) -> Result<&'d str, BgpLsError> {
        self.value.as_str().ok_or_else(|| self.wrong("text"))
    }

    /// Text in a form of its own. Nothing, and what Go prints for nothing, is none.
    pub(super) fn parsed<T: core::str::FromStr>(
        self,
        expected: &'static str,
    ) -> Result<Option<T>, BgpLsError> {
        match self.text()? {
            "" | "<nil>" | "invalid IP" => Ok(None),
            text => text.parse().map(Some).map_err(|_| self.wrong(expected)),
        }
    }

    pub(super) fn entries(self) -> Result<impl Iterator<Item = Self>, BgpLsError> {
        let entries = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        Ok(entries.iter().map(move |value| Self { value, ..self }))
    }
}
