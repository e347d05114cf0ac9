//! Forms, for servers that take a long question no other way.

use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};

use super::{Client, ClientError, Url};

impl Client {
    /// What the server answers to a POST of a form, whose fields are encoded.
    ///
    /// # Errors
    ///
    /// Why there is no such answer.
    pub async fn post_form(&self, url: &Url, form: String) -> Result<Vec<u8>, ClientError> {
        let request = Request::builder().method(Method::POST).uri(&url.path);
        let kind = "application/x-www-form-urlencoded";
        self.ask(url, request.header(CONTENT_TYPE, kind).body(form)).await
    }
}
