//! What Prometheus answers to an instant query.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The moment that it is of, by the clock of Prometheus, in seconds since 1970.
    pub at: f64,
    /// What there is to know then.
    pub samples: Vec<Sample>,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its name and its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// Why an answer is of no use.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("this is no answer of Prometheus: {0}")]
    Form(#[from] serde_json::Error),
    #[error("Prometheus refuses: {0}")]
    Refused(String),
    #[error("Prometheus answers with a {0} where a vector was asked for")]
    Kind(String),
}

#[derive(Deserialize)]
struct Document {
    status: String,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Answer {
    /// Reads the document. Where it holds no series, it is of the moment `now`.
    ///
    /// # Errors
    ///
    /// [`AnswerError`].
    pub fn read(text: &[u8], now: f64) -> Result<Self, AnswerError> {
        let Document { status, error, data } = serde_json::from_slice(text)?;
        let data = match data {
            Some(data) if status == "success" => data,
            _ => return Err(AnswerError::Refused(error.unwrap_or(status))),
        };
        if data.kind != "vector" {
            return Err(AnswerError::Kind(data.kind));
        }
        let at = data.result.first().map_or(now, |first| first.value.0);
        let sample = |Entry { metric, value }: Entry| {
            // What is no number is no value.
            let value = value.1.parse().ok().filter(|value: &f64| value.is_finite())?;
            Some(Sample { labels: metric, value })
        };
        Ok(Self { at, samples: data.result.into_iter().filter_map(sample).collect() })
    }
}

impl Sample {
    /// The value of a label; empty where it has none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_read_and_what_is_no_number_left_out() {
        let text = br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"a","session":"s"},"value":[1800000000.25,"0.0015"]},
            {"metric":{"__name__":"b"},"value":[1800000000.25,"NaN"]}]},"warnings":["slow"]}"#;
        let answer = Answer::read(text, 5.0).unwrap();
        assert_eq!((answer.at, answer.samples.len()), (1_800_000_000.25, 1));
        let sample = &answer.samples[0];
        assert_eq!((sample.label("session"), sample.label("none")), ("s", ""));
        assert!((sample.value - 0.0015).abs() < f64::EPSILON);
        let empty = br#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert_eq!(Answer::read(empty, 5.0).unwrap(), Answer { at: 5.0, samples: vec![] });
    }

    #[test]
    fn what_is_no_vector_is_told_apart() {
        let refused = br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        let told = Answer::read(refused, 0.0).unwrap_err().to_string();
        assert_eq!(told, "Prometheus refuses: parse error");
        let scalar = br#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        let told = Answer::read(scalar, 0.0).unwrap_err().to_string();
        assert!(told.contains("a matrix where a vector"), "{told}");
        for text in ["", "<html>", "{}", r#"{"status":"success","data":{}}"#] {
            assert!(Answer::read(text.as_bytes(), 0.0).is_err(), "{text}");
        }
    }
}
