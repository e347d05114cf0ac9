//! Values of a file in the form in which a command line takes them.

use toml::Spanned;
use toml::de::DeValue;

use crate::quantity::is_bare;

/// A value as the flag of the same name would be given it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FlagText {
    /// The text. Items of a list are separated by commas; so are the keys of a table, each as
    /// `key=value`, or as `key` alone where it is true.
    pub text: String,
    /// It is one number and nothing else, quoted or not, so that nobody can tell the unit.
    pub bare_number: bool,
}

/// `None` for what no flag takes.
pub(super) fn text(value: &DeValue<'_>) -> Option<FlagText> {
    let joined = |words: Option<Vec<String>>| {
        words.map(|words| FlagText { text: words.join(","), bare_number: false })
    };
    match value {
        DeValue::Array(items) => joined(items.iter().map(|item| word(item.get_ref())).collect()),
        DeValue::Table(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            // The order of the file, as on a command line.
            entries.sort_by_key(|(key, _)| key.span().start);
            let entry = |(key, value): &(&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Some(match value.get_ref() {
                    DeValue::Boolean(true) => key.to_string(),
                    value => format!("{key}={}", word(value)?),
                })
            };
            joined(entries.iter().map(entry).collect())
        }
        value => word(value).map(|text| {
            let number = matches!(value, DeValue::Integer(_) | DeValue::Float(_));
            FlagText { bare_number: number || is_bare(&text), text }
        }),
    }
}

fn word(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
