//! JSON Schemas (draft 2020-12) of what this program tells other programs.

use clap::ValueEnum;

/// A machine format that has a schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum MachineFormat {
    /// The sessions of a running reflector, /api/v1/sessions.
    Sessions,
    /// The document of `sessions --json`.
    Timestamps,
    /// One line of event-export, one-way-export or /api/v1/events.
    Ndjson,
}

impl MachineFormat {
    /// The schema, complete in itself.
    pub(crate) fn schema(self) -> &'static str {
        match self {
            Self::Sessions => include_str!("../schemas/sessions.json"),
            Self::Timestamps => include_str!("../schemas/timestamps.json"),
            Self::Ndjson => include_str!("../schemas/ndjson.json"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;

    /// Panics unless a document keeps to its schema.
    pub(crate) fn assert_valid(format: MachineFormat, document: &Value) {
        let schema = serde_json::from_str(format.schema()).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
    }

    /// The same of a line.
    pub(crate) fn assert_valid_line(line: &str) {
        assert_valid(MachineFormat::Ndjson, &serde_json::from_str(line).unwrap());
    }

    #[test]
    fn the_schemas_are_schemas() {
        for format in MachineFormat::value_variants() {
            let schema: Value = serde_json::from_str(format.schema()).unwrap();
            assert!(jsonschema::draft202012::meta::is_valid(&schema), "{format:?}");
            for reference in format.schema().split("\"#/$defs/").skip(1) {
                let name = reference.split('"').next().unwrap();
                assert!(schema["$defs"].get(name).is_some(), "{format:?}: {name}");
            }
        }
    }
}
