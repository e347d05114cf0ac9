use serde_json::json;

use super::*;
use crate::document::read;

/// A reader with a key of every kind.
fn build(root: &Section<'_>) {
    root.require::<String>("name");
    root.list::<bool>("bits");
    root.lists::<bool>("rows");
    root.flag_text("flag");
    if root.is_table("clock") {
        root.section("clock", |clock| clock.require::<bool>("right"));
    } else {
        root.get::<String>("clock");
    }
    root.section("labels", |labels| labels.entries());
    root.sections("session", |session| session.require::<String>("target"));
    root.named_sections("profile", |_, profile| {
        if profile.has("loss") {
            profile.get::<bool>("delay");
        }
        profile.get::<String>("loss");
    });
    root.list_or_tables::<bool>("listen", |listen| listen.get("address"));
}

#[test]
fn every_key_that_is_asked_for_is_known() {
    let outline = Outline::of(build);
    let keys: Vec<&str> = outline.keys().collect();
    assert_eq!(
        keys,
        [
            "bits",
            "clock",
            "clock.right",
            "flag",
            "labels",
            "listen",
            "listen[].address",
            "name",
            "profile",
            "profile.*.delay",
            "profile.*.loss",
            "rows",
            "session",
            "session[].target",
        ]
    );
}

#[test]
fn a_schema_says_what_each_key_holds() {
    let schema = Outline::of(build)
        .json_schema("a file", |key| (key == "session[].target").then(|| "where to".to_owned()));
    let properties = &schema["properties"];
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(properties["name"]["type"], "string");
    let clock = &properties["clock"]["anyOf"];
    assert_eq!(clock[0]["type"], "string");
    assert_eq!(clock[1]["properties"]["right"]["type"], "boolean");
    assert_eq!(properties["labels"]["additionalProperties"]["type"][0], "string");
    let session = &properties["session"]["items"];
    assert_eq!(session["required"], json!(["target"]));
    assert_eq!(session["properties"]["target"]["description"], "where to");
    let profile = &properties["profile"]["additionalProperties"];
    assert_eq!(profile["properties"]["loss"]["description"], "a text that is not empty");
    let listen = &properties["listen"]["anyOf"];
    assert_eq!(listen[1]["items"]["anyOf"][1]["properties"]["address"]["type"], "boolean");
    assert_eq!(properties["rows"]["items"]["items"]["type"], "boolean");
}

#[test]
fn documents_are_read_as_before() {
    let text =
        "name = \"a\"\nclock = \"x\"\n[[session]]\ntarget = \"b\"\n[profile.gold]\nloss = \"c\"\n";
    assert_eq!(read("f", text, build), Ok(()));
}
