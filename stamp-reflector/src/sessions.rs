//! `sessions`: what senders have to be told to get a timestamp from this node.

use core::fmt::Write as _;

use serde_json::{Value, json};
use stamp_session::forwarding::{Place, Trigger};

use crate::config::{Source, TimestampEntry};
use crate::failure::Failure;
use crate::own_labels;
use crate::terminal;

/// Prints every label and SID with the line for a sender's configuration.
///
/// # Errors
///
/// What is wrong with the configuration, or with the file of labels that were taken.
pub(crate) fn print(source: &Source, as_json: bool) -> Result<(), Failure> {
    let config = source.load()?;
    let triggers = own_labels::known(&config.forwarding)?;
    let entries: Vec<_> = config.forwarding.timestamps.iter().zip(triggers).collect();
    let text = if as_json {
        let entries: Vec<Value> =
            entries.iter().map(|(entry, trigger)| object(entry, *trigger)).collect();
        format!("{:#}\n", json!({ "schema_version": 1, "timestamps": entries }))
    } else {
        lines(&entries)
    };
    terminal::output(text.as_bytes()).map_err(Failure::Output)
}

fn lines(entries: &[(&TimestampEntry, Option<Trigger>)]) -> String {
    if entries.is_empty() {
        return "no [[timestamp]] in the configuration\n".to_owned();
    }
    let mut text = String::new();
    for (entry, trigger) in entries {
        let line = trigger.map_or_else(
            || "# a label is taken from label-range when the reflector starts".to_owned(),
            |trigger| sender_line(entry, trigger),
        );
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}  # on {}", entry.interfaces.join(", "));
    }
    text
}

fn object(entry: &TimestampEntry, trigger: Option<Trigger>) -> Value {
    let (extended, label, sid) = match trigger {
        Some(Trigger::Extended(label)) => (json!(label.value()), Value::Null, Value::Null),
        Some(Trigger::Label(label)) => (Value::Null, json!(label.value()), Value::Null),
        Some(Trigger::Sid(sid)) => {
            (Value::Null, Value::Null, json!(format!("{}/{}", sid.prefix(), sid.bits())))
        }
        None => (Value::Null, Value::Null, Value::Null),
    };
    json!({
        "extended": extended,
        "label": label,
        "sid": sid,
        "offset": entry.place.offset,
        "format": entry.place.format.to_string(),
        "interfaces": entry.interfaces,
        "ports": entry.ports,
        "sender": trigger.map(|trigger| sender_line(entry, trigger)),
    })
}

/// The key of a `[[session]]` of the sender; what is usual is left out.
fn sender_line(entry: &TimestampEntry, trigger: Trigger) -> String {
    let Place { offset, format, .. } = entry.place;
    match trigger {
        Trigger::Extended(label) => {
            format!(
                "timestamp-label = {{ extended = {label}, offset = {offset}, format = \"{format}\" }}"
            )
        }
        Trigger::Label(label) => {
            format!(
                "timestamp-label = {{ label = {label}, offset = {offset}, format = \"{format}\" }}"
            )
        }
        Trigger::Sid(sid) => format!("end-tsf = \"{}\"", sid.prefix()),
    }
}
