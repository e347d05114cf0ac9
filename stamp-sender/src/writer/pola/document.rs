//! A policy as Pola's `sr-policy add` reads it: one candidate path with one explicit list.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{HEADING, Writer};
use crate::writer::table::{ChosenPath, List};

/// How names of files end.
pub(super) const ENDING: &str = ".yaml";
/// What stands before it says which policy it is, for the PCE too.
pub(super) const BEHIND_IDENTITY: &str = "\n  candidatePath:\n";

/// A file as it is to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Document {
    pub(super) policy: String,
    /// Its name in the folder.
    pub(super) file: String,
    pub(super) text: String,
}

/// All of them, and who has none though it should.
pub(super) fn all(
    writer: &Writer,
    paths: &[ChosenPath],
    refused: &mut Vec<(String, String)>,
) -> Vec<Document> {
    let (mut documents, mut known) = (Vec::<Document>::new(), Vec::<(u32, IpAddr)>::new());
    for path in paths.iter().filter(|path| !path.said.lists.is_empty()) {
        let policy = path.policy.clone();
        let file = file_name(&policy);
        let text = match object(writer, path).and_then(|document| text(&document)) {
            Ok(text) => text,
            Err(reason) => {
                refused.push((policy, reason));
                continue;
            }
        };
        let key = (path.said.color.unwrap_or_default(), path.said.endpoint);
        if known.contains(&key) {
            refused.push((policy, "another policy has its color and endpoint".to_owned()));
        } else if let Some(other) = documents.iter().find(|it| it.file == file) {
            let reason = format!("its file would be that of {}: {file}", other.policy);
            refused.push((policy, reason));
        } else {
            known.push(key);
            documents.push(Document { policy, file, text });
        }
    }
    documents
}

/// As YAML; texts are quoted, so that none is taken for anything else.
fn text(document: &Map<String, Value>) -> Result<String, String> {
    let options = serde_saphyr::ser_options! { quote_all: true };
    let text = serde_saphyr::to_string_with_options(document, options);
    text.map(|text| HEADING.to_owned() + &text).map_err(|error| error.to_string())
}

/// The document of a path that carries traffic.
///
/// # Errors
///
/// What of it there are no words for.
pub(super) fn object(writer: &Writer, path: &ChosenPath) -> Result<Map<String, Value>, String> {
    let said = &path.said;
    if let Some(headend) = said.headend.as_ref().filter(|_| !writer.is_named) {
        let says = format!("if the session is of it, headends = [{headend:?}] says so");
        return Err(format!("it begins at {headend}: {says}"));
    }
    let color = said.color.filter(|color| *color != 0).ok_or("it has no color")?;
    let [list] = said.lists.as_slice() else {
        let count = said.lists.len();
        return Err(format!(
            "{count} lists carry its traffic, and a candidate path of Pola has one"
        ));
    };
    let segments = segments(writer, list);
    if segments.is_empty() {
        return Err("its list has no segment".to_owned());
    }
    let mut candidate = Map::new();
    if let Some(preference) = said.preference {
        // Zero would be taken for none at all, which is a higher one.
        candidate.insert("preference".to_owned(), preference.max(1).into());
    }
    candidate.insert("explicit".to_owned(), json!({ "segmentList": segments }));
    let mut document = Map::new();
    if let Some(number) = writer.config.autonomous_system {
        document.insert("asn".to_owned(), number.into());
    }
    let policy = json!({
        "pcepSessionAddr": writer.config.session,
        "headend": writer.config.headend,
        "endpoint": said.endpoint,
        "name": path.policy,
        "color": color,
        "candidatePath": candidate,
    });
    document.insert("srPolicy".to_owned(), policy);
    Ok(document)
}

/// What each label means is known where it is read alone; a SID must have an address beside it.
fn segments(writer: &Writer, list: &List) -> Vec<Value> {
    let labels = list.labels.iter().flatten();
    let labels = labels.map(|label| json!({ "sid": label.value().to_string() }));
    let sids = list.sids.iter().flatten().map(|sid| {
        let owner = writer.owners.owner(*sid);
        let mut segment = json!({ "sid": sid, "localAddr": owner.local });
        if let Some(remote) = owner.remote {
            segment["remoteAddr"] = json!(remote);
        }
        if let Some(structure) = owner.structure {
            let bits = structure.map(|bits| bits.to_string());
            segment["sidStructure"] = bits.join(",").into();
        }
        segment
    });
    labels.chain(sids).collect()
}

/// One that is hidden or leads elsewhere is nobody's name.
fn file_name(policy: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let plain = policy.chars().map(|c| if is_plain(c) { c } else { '-' });
    let name: String = plain.collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("-{rest}{ENDING}"),
        None => name + ENDING,
    }
}
