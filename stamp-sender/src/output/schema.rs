//! JSON Schemas of the machine formats (draft 2020-12).

use serde_json::Value;

use crate::command_line::SchemaFormat;

/// What both formats share.
const SESSION: &str = include_str!("../../schemas/session.json");
const JSON: &str = include_str!("../../schemas/json.json");
const NDJSON: &str = include_str!("../../schemas/ndjson.json");

/// The schema of a format, complete in itself.
#[must_use]
pub fn text(format: SchemaFormat) -> String {
    let mut text = format!("{:#}", schema(format));
    text.push('\n');
    text
}

fn schema(format: SchemaFormat) -> Value {
    let own = match format {
        SchemaFormat::Json => JSON,
        SchemaFormat::Ndjson => NDJSON,
    };
    // Both are part of the program; a test reads them.
    let (mut schema, shared) = (parsed(own), parsed(SESSION));
    let mut definitions = shared["$defs"].clone();
    if let (Some(all), Some(own)) = (definitions.as_object_mut(), schema["$defs"].as_object()) {
        all.extend(own.clone());
    }
    schema["$defs"] = definitions;
    schema
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
