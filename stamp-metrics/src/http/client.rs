//! Asks another server over HTTP: one question a connection, held to a time and a size, or listened to.

mod form;
mod trust;

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where a server is and what it is asked for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Url {
    text: String,
    secure: bool,
    host: String,
    port: u16,
    /// Path and query.
    path: String,
}

impl Url {
    /// Reads `http://…` or `https://…`; `None` for anything else, and for one with a user in it, whose
    /// password would show in logs.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let uri: hyper::Uri = text.parse().ok()?;
        let secure = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority().filter(|it| !it.as_str().contains('@'))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        (!host.is_empty()).then(|| Self { text: text.to_owned(), secure, host, port, path })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name or address of the server.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What lies at `path` below it.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        let join = |base: &str| format!("{}{path}", base.trim_end_matches('/'));
        Self { text: join(&self.text), path: join(&self.path), ..self.clone() }
    }
}

/// How a server is asked.
#[derive(Clone, Debug)]
pub struct Client {
    /// Whom to trust where it is encrypted; the authorities of this host where none is named.
    pub ca_file: Option<PathBuf>,
    /// What to show it so that it lets us in.
    pub token: Option<String>,
    /// How long all of it may take.
    pub time: Duration,
    /// How long an answer may be.
    pub octets: usize,
}

/// Whether a file names authorities that can be trusted.
///
/// # Errors
///
/// Why it cannot be used.
pub fn check_authorities(file: &Path) -> Result<(), ClientError> {
    trust::config(Some(file)).map(drop)
}

/// Why there is no answer.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{}: {error}", .path.display())]
    Authorities { path: PathBuf, error: String },
    #[error("no authorities are known to this host: name a file of them")]
    NoAuthorities,
    #[error("{0}")]
    Connection(#[from] std::io::Error),
    #[error("{0}")]
    Protocol(#[from] hyper::Error),
    #[error("the token cannot stand in a header")]
    Token,
    #[error("no answer within {0:?}")]
    Time(Duration),
    #[error("the answer is longer than {0} octets")]
    Size(usize),
    #[error("the answer is {status}")]
    Status {
        status: StatusCode,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Client {
    /// What the server answers to GET, if it is what was asked for.
    ///
    /// # Errors
    ///
    /// Why there is no such answer.
    pub async fn get(&self, url: &Url, accept: &'static str) -> Result<Vec<u8>, ClientError> {
        let request = Request::get(&url.path).header(ACCEPT, accept);
        self.ask(url, request.body(String::new())).await
    }

    /// What the server answers to a POST of JSON, if it takes it.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn post(&self, url: &Url, json: String) -> Result<Vec<u8>, ClientError> {
        let request = Request::builder().method(Method::POST).uri(&url.path);
        self.ask(url, request.header(CONTENT_TYPE, "application/json").body(json)).await
    }

    /// The same by PUT.
    ///
    /// # Errors
    ///
    /// As [`Self::post`].
    pub async fn put(&self, url: &Url, json: String) -> Result<Vec<u8>, ClientError> {
        let request = Request::builder().method(Method::PUT).uri(&url.path);
        self.ask(url, request.header(CONTENT_TYPE, "application/json").body(json)).await
    }

    /// Hands over the pieces of an answer that goes on, until the server ends it. Here the time is how long
    /// the server may be silent, and there is no limit to the size.
    ///
    /// # Errors
    ///
    /// Why there is no such answer, or no more of it.
    pub async fn follow(
        &self,
        url: &Url,
        accept: &'static str,
        take: impl FnMut(&[u8]),
    ) -> Result<(), ClientError> {
        let request = Request::get(&url.path).header(ACCEPT, accept).body(String::new());
        let request = self.with_headers(url, request)?;
        let stream = self.in_time(TcpStream::connect((url.host.as_str(), url.port))).await??;
        if !url.secure {
            return self.listen(stream, request, take).await;
        }
        let stream = self.in_time(self.secure(url, stream)).await??;
        self.listen(stream, request, take).await
    }

    async fn ask(
        &self,
        url: &Url,
        request: Result<Request<String>, hyper::http::Error>,
    ) -> Result<Vec<u8>, ClientError> {
        let request = self.with_headers(url, request)?;
        self.in_time(self.send(url, request)).await?
    }

    async fn in_time<T>(&self, asked: impl Future<Output = T>) -> Result<T, ClientError> {
        let answer = tokio::time::timeout(self.time, asked).await;
        answer.map_err(|_| ClientError::Time(self.time))
    }

    fn with_headers(
        &self,
        url: &Url,
        request: Result<Request<String>, hyper::http::Error>,
    ) -> Result<Request<String>, ClientError> {
        // The path was part of an address that was read, and the rest is ours.
        let mut request = request.map_err(std::io::Error::other)?;
        let headers = request.headers_mut();
        let host = match url.host.contains(':') {
            true => format!("[{}]:{}", url.host, url.port),
            false => format!("{}:{}", url.host, url.port),
        };
        headers.insert(HOST, HeaderValue::from_str(&host).map_err(std::io::Error::other)?);
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("stamp/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").parse::<HeaderValue>();
            let mut value = value.map_err(|_| ClientError::Token)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn send(&self, url: &Url, request: Request<String>) -> Result<Vec<u8>, ClientError> {
        let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
        if !url.secure {
            return self.exchange(stream, request).await;
        }
        self.exchange(self.secure(url, stream).await?, request).await
    }

    async fn secure(
        &self,
        url: &Url,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, ClientError> {
        let connector = TlsConnector::from(trust::config(self.ca_file.as_deref())?);
        let name = ServerName::try_from(url.host.clone()).map_err(std::io::Error::other)?;
        Ok(connector.connect(name, stream).await?)
    }

    async fn listen(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        request: Request<String>,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), ClientError> {
        let (mut sender, connection) =
            self.in_time(http1::handshake(TokioIo::new(stream))).await??;
        let heard = async {
            let response = self.in_time(sender.send_request(request)).await??;
            if !response.status().is_success() {
                return Err(refused(&response));
            }
            let mut body = response.into_body();
            loop {
                let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
                let Some(frame) = self.in_time(next).await? else { return Ok(()) };
                if let Ok(data) = frame?.into_data() {
                    take(&data);
                }
            }
        };
        tokio::pin!(connection, heard);
        tokio::select! {
            biased;
            ended = &mut heard => ended,
            // What came whole may outlive its connection.
            ended = &mut connection => match ended {
                Ok(()) => heard.await,
                Err(error) => Err(error.into()),
            },
        }
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        request: Request<String>,
    ) -> Result<Vec<u8>, ClientError> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let asked = async {
            let response = sender.send_request(request).await?;
            if !response.status().is_success() {
                return Err(refused(&response));
            }
            self.collect(response.into_body()).await
        };
        tokio::pin!(connection, asked);
        tokio::select! {
            biased;
            answer = &mut asked => answer,
            // An answer that came whole may outlive its connection.
            ended = &mut connection => match ended {
                Ok(()) => asked.await,
                Err(error) => Err(error.into()),
            },
        }
    }

    async fn collect(&self, mut body: Incoming) -> Result<Vec<u8>, ClientError> {
        let mut octets = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let Ok(data) = frame?.into_data() else { continue };
            if octets.len() + data.len() > self.octets {
                return Err(ClientError::Size(self.octets));
            }
            octets.extend_from_slice(&data);
        }
        Ok(octets)
    }
}

/// What an answer says that is none. A date to come again is left out: clocks differ.
fn refused(response: &Response<Incoming>) -> ClientError {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
    let seconds = retry_after.and_then(|seconds| seconds.trim().parse().ok());
    ClientError::Status { status: response.status(), retry_after: seconds.map(Duration::from_secs) }
}

#[cfg(test)]
mod tests;
