//! The same as a JSON Schema, for editors and whoever writes files by program.

use serde_json::{Map, Value, json};

use super::{Holds, Known, Outline, Words};
use crate::setting::Form;

impl Outline {
    /// A schema (draft 2020-12) of documents that `title` names. `explain` tells what is known of a key
    /// beyond the form of its value.
    ///
    /// What it refuses the reader refuses as well; it says nothing of how values have to go together.
    pub fn json_schema(&self, title: &str, explain: impl Fn(&str) -> Option<String>) -> Value {
        let mut schema = Map::new();
        schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        schema.insert("title".into(), title.into());
        schema.append(&mut self.table("", &explain));
        Value::Object(schema)
    }

    /// The table whose keys begin with `prefix`.
    fn table(&self, prefix: &str, explain: &impl Fn(&str) -> Option<String>) -> Map<String, Value> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let of_this = |known: &&Known| {
            known.path.strip_prefix(prefix).is_some_and(|key| !key.contains(['.', '[']))
        };
        for known in self.0.iter().filter(of_this) {
            let key = &known.path[prefix.len()..];
            let form = self.form(known, explain);
            let known_form = properties.entry(key).or_insert(Value::Null);
            *known_form = either(known_form.take(), form);
            if known.is_required {
                required.push(Value::from(key));
            }
        }
        for (key, form) in &mut properties {
            if let (Some(text), Some(form)) =
                (explain(&format!("{prefix}{key}")), form.as_object_mut())
            {
                form.insert("description".into(), text.into());
            }
        }
        let mut table = Map::new();
        table.insert("type".into(), "object".into());
        table.insert("properties".into(), properties.into());
        table.insert("additionalProperties".into(), false.into());
        if !required.is_empty() {
            table.insert("required".into(), required.into());
        }
        table
    }

    fn form(&self, known: &Known, explain: &impl Fn(&str) -> Option<String>) -> Value {
        let path = &known.path;
        match known.holds {
            Holds::One(words) => words.schema(),
            Holds::List(words) => {
                either(words.schema(), json!({ "type": "array", "items": words.schema() }))
            }
            Holds::Lists(words) => {
                let list = json!({ "type": "array", "items": words.schema() });
                json!({ "type": "array", "items": list })
            }
            Holds::ListOrTables(words) => {
                let item =
                    either(words.schema(), self.table(&format!("{path}[]."), explain).into());
                either(words.schema(), json!({ "type": "array", "items": item }))
            }
            Holds::Text => {
                let types = ["string", "integer", "number", "boolean", "array", "object"];
                json!({ "type": types })
            }
            Holds::Table => self.table(&format!("{path}."), explain).into(),
            Holds::Tables => {
                let table = self.table(&format!("{path}[]."), explain);
                json!({ "type": "array", "items": table })
            }
            Holds::Named => {
                let table = self.table(&format!("{path}.*."), explain);
                json!({ "type": "object", "additionalProperties": table })
            }
            Holds::Entries => {
                let types = ["string", "integer", "number", "boolean"];
                json!({ "type": "object", "additionalProperties": { "type": types } })
            }
        }
    }
}

impl Words {
    fn schema(self) -> Value {
        let types = match self.form {
            Form::Text => json!("string"),
            Form::Number => json!("integer"),
            Form::TextOrNumber => json!(["string", "integer"]),
            Form::Flag => json!("boolean"),
        };
        json!({ "type": types, "description": self.expected })
    }
}

/// One form or the other; a table that takes no key at all says nothing beside one that takes any.
fn either(one: Value, other: Value) -> Value {
    let takes_none = |form: &Value| {
        form["properties"].as_object().is_some_and(|properties| properties.is_empty())
    };
    match one {
        Value::Null => other,
        one if takes_none(&one) => other,
        one if takes_none(&other) || one == other => one,
        mut one => match one.get_mut("anyOf").and_then(Value::as_array_mut) {
            Some(forms) => {
                forms.push(other);
                one
            }
            None => json!({ "anyOf": [one, other] }),
        },
    }
}
