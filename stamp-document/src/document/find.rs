//! Where a key stands in a text that was read before.

use toml::de::{DeTable, DeValue};

use super::place::Place;
use super::source::Source;

impl Place {
    /// Where the value of `key` stands, such as `web.listen` or `webhook[1].url`, in `text`, which is called `file` in
    /// messages.
    ///
    /// ```
    /// use stamp_document::document::{Place, Problem};
    ///
    /// let text = "[[webhook]]\n[[webhook]]\nurl = \"x\"\n";
    /// let place = Place::find("f.toml", text, "webhook[1].url").unwrap();
    /// let error = place.error(Problem::Unusable { reason: "nobody is there".to_owned() });
    /// assert_eq!(error.to_string(), "f.toml:3:7: webhook[1].url = \"x\": nobody is there");
    /// assert_eq!(Place::find("f.toml", text, "webhook[2].url"), None);
    /// ```
    #[must_use]
    pub fn find(file: &str, text: &str, key: &str) -> Option<Self> {
        let (table, _) = DeTable::parse_recoverable(text);
        let (parents, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut at = table.get_ref();
        for step in parents.split('.').filter(|step| !step.is_empty()) {
            let (name, index) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
                Some((name, index)) => (name, Some(index.parse::<usize>().ok()?)),
                None => (step, None),
            };
            let value = at.get(name)?.get_ref();
            at = match (value, index) {
                (DeValue::Table(table), None) => table,
                (DeValue::Array(items), Some(index)) => match items.get(index)?.get_ref() {
                    DeValue::Table(table) => table,
                    _ => return None,
                },
                _ => return None,
            };
        }
        let source = Source::new(file, text);
        let span = at.get(last)?.span();
        let shown = source.shown(&span);
        Some(source.place(span.start, key.to_owned(), shown))
    }
}
