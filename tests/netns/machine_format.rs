//! What programs tell others, held to the JSON Schemas that they print.

use serde_json::Value;
use stamp_tests::netns::binary;

/// Panics unless a document keeps to the schema `PROGRAM schema FORMAT`.
pub(crate) fn assert_keeps_to(program: &str, format: &str, document: &Value) {
    let printed = binary(program).args(["schema", format]).output().expect("it starts");
    assert!(printed.status.success(), "{program} schema {format}: {printed:?}");
    let schema = serde_json::from_slice(&printed.stdout).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("it is a schema");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{program} schema {format}: {errors:#?}\n{document:#}");
}
