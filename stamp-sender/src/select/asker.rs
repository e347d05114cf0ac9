//! Asks Prometheus.

use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use stamp_metrics::http::client::{Client, ClientError};
use stamp_path::policy::Policies;

use super::answer::{Answer, AnswerError};
use super::config::Select;
use super::query;

/// Where an instant query is answered.
const PATH: &str = "/api/v1/query";
/// Octets of an answer: some ten thousand lists.
const OCTETS: usize = 256 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The line, or a refusal.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What was said over it.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// Knows what to ask, and whom.
#[derive(Clone, Debug)]
pub struct Asker {
    select: Select,
    expression: String,
}

impl Asker {
    /// For what is known of the lists of these policies.
    pub fn new(select: &Select, policies: &Policies) -> Self {
        let expression = query::expression(policies, &select.matchers);
        Self { select: select.clone(), expression }
    }

    /// Asks once `at` has come.
    ///
    /// # Errors
    ///
    /// [`AskError`].
    pub async fn ask(self, at: Instant) -> Result<Answer, AskError> {
        tokio::time::sleep_until(at.into()).await;
        let Select { prometheus, token_file, ca_file, timeout, .. } = &self.select;
        // Read each time: it may be another by now.
        let token = token_file.as_ref().map(std::fs::read_to_string).transpose();
        let token = token.map_err(ClientError::from)?.map(|token| token.trim().to_owned());
        let client = Client { ca_file: ca_file.clone(), token, time: *timeout, octets: OCTETS };
        let form = format!("query={}", utf8_percent_encode(&self.expression, NON_ALPHANUMERIC));
        let text = client.post_form(&prometheus.below(PATH), form).await?;
        let now =
            Duration::from_nanos(u64::try_from(stamp_worker::now().wall.unix_ns()).unwrap_or(0));
        Ok(Answer::read(&text, now.as_secs_f64())?)
    }
}
