//! The table of chosen paths, as a daemon tells it at `/api/v1/paths`.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::Deserialize;
use serde_json::Value;
use stamp_config::Setting as _;
use stamp_proto::ip::Dscp;
use stamp_proto::sr::mpls::Label;

use super::config::Choice;

/// Who carries the traffic of each policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Grows by one with each change.
    pub sequence: u64,
    /// Those that were understood.
    pub paths: Vec<ChosenPath>,
    /// Those that were not, with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// The path of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenPath {
    /// The policy.
    pub policy: String,
    /// What is said of it.
    pub said: Said,
    /// The object as it came, with what is not read here.
    pub object: Value,
}

/// What is said of a path, as far as it matters to a router.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Said {
    /// Where it begins.
    pub headend: Option<String>,
    /// With the endpoint, what tells the policy from others of its head end.
    pub color: Option<u32>,
    /// Where it ends.
    pub endpoint: IpAddr,
    /// The class of its traffic.
    pub class: Option<String>,
    /// Which packets those are.
    #[serde(default)]
    pub traffic: Traffic,
    /// The candidate path that carries them.
    pub active: Option<String>,
    /// Its preference.
    pub preference: Option<u32>,
    /// Its segment lists that carry traffic.
    #[serde(default)]
    pub lists: Vec<List>,
}

/// Which packets belong to it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Traffic {
    /// Where they go; to the endpoint where there is none.
    #[serde(default)]
    pub prefixes: Vec<IpNet>,
    /// How they are marked; any mark will do where there is none.
    #[serde(default, deserialize_with = "dscps")]
    pub dscp: Vec<Dscp>,
}

/// A segment list that carries traffic.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct List {
    /// Its name.
    pub name: String,
    /// Its share.
    #[serde(default = "one")]
    pub weight: u32,
    /// Its segments by name.
    #[serde(default)]
    pub segments: Vec<String>,
    /// The labels that they are.
    #[serde(default, deserialize_with = "labels")]
    pub labels: Option<Vec<Label>>,
    /// The SIDs that they are, the first one visited in front.
    #[serde(default)]
    pub sids: Option<Vec<Ipv6Addr>>,
    /// The neighbour that takes its packets.
    #[serde(default)]
    pub next_hop: Option<IpAddr>,
    /// The interface that they leave by.
    #[serde(default)]
    pub interface: Option<String>,
}

const fn one() -> u32 {
    1
}

fn dscps<'d, D: serde::Deserializer<'d>>(words: D) -> Result<Vec<Dscp>, D::Error> {
    let words = Vec::<Value>::deserialize(words)?.into_iter().map(|word| {
        let text = word.as_str().map_or_else(|| word.to_string(), ToOwned::to_owned);
        Dscp::read(&text).ok_or_else(|| serde::de::Error::custom(format!("{text} is no DSCP")))
    });
    words.collect()
}

fn labels<'d, D: serde::Deserializer<'d>>(numbers: D) -> Result<Option<Vec<Label>>, D::Error> {
    let Some(numbers) = Option::<Vec<u32>>::deserialize(numbers)? else { return Ok(None) };
    let labels = numbers.into_iter().map(|number| {
        let label = Label::new(number).filter(|label| !label.is_special());
        label.ok_or_else(|| serde::de::Error::custom(format!("{number} is no label of a segment")))
    });
    labels.collect::<Result<_, _>>().map(Some)
}

/// What cannot be a table.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TableError {
    /// It is no JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// It is of a daemon whose tables have another form.
    #[error("schema version {0:?}, and 1 is the one that is understood")]
    Version(Option<u64>),
    /// A member is missing.
    #[error("no {0} in it")]
    Missing(&'static str),
    /// A change is missing before this one.
    #[error("change {got} follows {known}")]
    Gap {
        /// What is known.
        known: u64,
        /// What came.
        got: u64,
    },
}

impl Table {
    /// Reads the whole of it.
    ///
    /// # Errors
    ///
    /// [`TableError`]; a path that is not understood is none, but stands among [`Self::unreadable`].
    pub fn read(text: &str) -> Result<Self, TableError> {
        let document = json(text)?;
        let version = document["schema_version"].as_u64();
        if version != Some(1) {
            return Err(TableError::Version(version));
        }
        let Some(Value::Array(paths)) = document.get("paths") else {
            return Err(TableError::Missing("paths"));
        };
        let mut table = Self { sequence: sequence(&document)?, ..Self::default() };
        for object in paths {
            table.enter(object.clone())?;
        }
        Ok(table)
    }

    /// Takes a change of one path: the path with the `sequence` of the table in it.
    ///
    /// # Errors
    ///
    /// [`TableError`]; after it the whole table is wanted.
    pub fn change(&mut self, text: &str) -> Result<(), TableError> {
        let mut object = json(text)?;
        self.advance(sequence(&object)?)?;
        let path = object.get_mut("path").map(Value::take).unwrap_or_else(|| {
            let mut path = object;
            if let Value::Object(members) = &mut path {
                members.shift_remove("sequence");
            }
            path
        });
        self.enter(path)
    }

    /// Takes it that a policy is gone.
    ///
    /// # Errors
    ///
    /// As [`Self::change`].
    pub fn remove(&mut self, text: &str) -> Result<(), TableError> {
        let object = json(text)?;
        self.advance(sequence(&object)?)?;
        let policy = policy(&object)?;
        self.forget(policy);
        Ok(())
    }

    /// The paths of a choice.
    pub fn chosen(&self, choice: &Choice) -> Vec<ChosenPath> {
        let is_one = |path: &&ChosenPath| {
            choice.takes(&path.policy, path.said.headend.as_deref(), path.said.class.as_deref())
        };
        self.paths.iter().filter(is_one).cloned().collect()
    }

    fn advance(&mut self, got: u64) -> Result<(), TableError> {
        if got != self.sequence + 1 {
            return Err(TableError::Gap { known: self.sequence, got });
        }
        self.sequence = got;
        Ok(())
    }

    /// Puts a path in the place of that of the same policy.
    fn enter(&mut self, object: Value) -> Result<(), TableError> {
        let policy = policy(&object)?.to_owned();
        match Said::deserialize(&object) {
            Ok(said) => {
                let path = ChosenPath { policy, said, object };
                match self.paths.iter_mut().find(|it| it.policy == path.policy) {
                    Some(known) => *known = path,
                    None => {
                        self.forget(&path.policy.clone());
                        self.paths.push(path);
                    }
                }
            }
            // Nobody knows who carries its traffic: whatever was written before is not it.
            Err(error) => {
                self.forget(&policy);
                self.unreadable.push((policy, error.to_string()));
            }
        }
        Ok(())
    }

    fn forget(&mut self, policy: &str) {
        self.paths.retain(|path| path.policy != policy);
        self.unreadable.retain(|(name, _)| name != policy);
    }
}

fn json(text: &str) -> Result<Value, TableError> {
    serde_json::from_str(text).map_err(|error| TableError::Json(error.to_string()))
}

fn sequence(object: &Value) -> Result<u64, TableError> {
    object["sequence"].as_u64().ok_or(TableError::Missing("sequence"))
}

fn policy(object: &Value) -> Result<&str, TableError> {
    object["policy"].as_str().ok_or(TableError::Missing("policy"))
}

#[cfg(test)]
pub mod tests;
