//! JSON Schemas of the machine formats (draft 2020-12).

use serde_json::{Map, Value};

use crate::command_line::SchemaFormat;

/// What both formats share.
const SHARED: [&str; 2] =
    [include_str!("../../schemas/session.json"), include_str!("../../schemas/parts.json")];
const JSON: &str = include_str!("../../schemas/json.json");
const MALFORMED: &str = include_str!("../../schemas/malformed.json");
const WEBHOOK: &str = include_str!("../../schemas/webhook.json");
const LOCATE: &str = include_str!("../../schemas/locate.json");
const PROBE: &str = include_str!("../../schemas/probe.json");
const PATH: &str = include_str!("../../schemas/path.json");
const PATHS: &str = include_str!("../../schemas/paths.json");
const NDJSON: &str = include_str!("../../schemas/ndjson.json");
/// Lines of NDJSON about policies.
const POLICIES: &str = include_str!("../../schemas/policies.json");

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
        SchemaFormat::Webhook => WEBHOOK,
        SchemaFormat::Probe => PROBE,
        // Nothing of a session is in it.
        SchemaFormat::Malformed => return parsed(MALFORMED),
        SchemaFormat::Path => return parsed(PATH),
        SchemaFormat::Paths => return parsed(PATHS),
        SchemaFormat::Locate => return parsed(LOCATE),
    };
    // Both are part of the program; a test reads them.
    let mut schema = parsed(own);
    let mut definitions = Map::new();
    let lines = matches!(format, SchemaFormat::Ndjson).then(|| parsed(POLICIES));
    for part in [&schema].into_iter().chain(&lines).chain(&SHARED.map(parsed)) {
        definitions.extend(part["$defs"].as_object().cloned().unwrap_or_default());
    }
    schema["$defs"] = definitions.into();
    schema
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
pub mod tests;
