//! `tls_server_config` as a configuration of TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};

use super::web_config::{Stamp, TlsConfig, WebConfigError};

/// A problem of one key.
type Wrong = (&'static str, String);

/// Makes an acceptor of what the file at `path` says. Paths in it are relative to its folder.
pub(super) fn acceptor(
    config: &TlsConfig,
    path: &Path,
    stamp: &mut Stamp,
) -> Result<TlsAcceptor, WebConfigError> {
    let mut reader = Reader { folder: path.parent().unwrap_or(Path::new("")), stamp };
    let cert = reader.text(&config.cert, &config.cert_file)?;
    let key = reader.text(&config.key, &config.key_file)?;
    let client_ca = reader.text(&config.client_ca, &config.client_ca_file)?;
    let server = server(config, cert, key, client_ca).map_err(|(key, problem)| {
        let key = format!("tls_server_config.{key}");
        WebConfigError::Value { path: path.to_owned(), key, problem }
    })?;
    Ok(TlsAcceptor::from(Arc::new(server)))
}

struct Reader<'a> {
    folder: &'a Path,
    stamp: &'a mut Stamp,
}

impl Reader<'_> {
    fn text(
        &mut self,
        inline: &Option<String>,
        file: &Option<PathBuf>,
    ) -> Result<Option<String>, WebConfigError> {
        match (inline, file) {
            (None, Some(file)) => self.stamp.read(&self.folder.join(file)).map(Some),
            (inline, _) => Ok(inline.clone()),
        }
    }
}

fn server(
    config: &TlsConfig,
    cert: Option<String>,
    key: Option<String>,
    client_ca: Option<String>,
) -> Result<ServerConfig, Wrong> {
    let cert = cert.ok_or(("cert_file", "missing".to_owned()))?;
    let key = key.ok_or(("key_file", "missing".to_owned()))?;
    let chain = certificates(&cert, "cert_file")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| ("key_file", error.to_string()))?;
    let provider = Arc::new(provider(config)?);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(config)?)
        .map_err(|error| ("min_version", error.to_string()))?;
    let builder = match verifier(config, client_ca, provider)? {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut server = builder
        .with_single_cert(chain, key)
        .map_err(|error| ("cert_file", format!("does not go with key_file: {error}")))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(server)
}

fn certificates(pem: &str, key: &'static str) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| (key, error.to_string()))?;
    if found.is_empty() { Err((key, "no certificate in it".to_owned())) } else { Ok(found) }
}

/// Ciphers and curves, only those that are named where any are.
fn provider(config: &TlsConfig) -> Result<CryptoProvider, Wrong> {
    let mut provider = ring::default_provider();
    if !config.cipher_suites.is_empty() {
        // Those of TLS 1.3 are never a choice, here as in the exporters.
        let name = |name: &str| name.replace("TLS13_", "TLS_");
        let of = |suite: &tokio_rustls::rustls::SupportedCipherSuite| {
            name(&format!("{:?}", suite.suite()))
        };
        let known: Vec<String> = provider.cipher_suites.iter().map(of).collect();
        let wanted = &config.cipher_suites;
        if let Some(unknown) = wanted.iter().find(|wanted| !known.contains(wanted)) {
            let problem = format!("{unknown} is not offered; known: {}", known.join(", "));
            return Err(("cipher_suites", problem));
        }
        provider
            .cipher_suites
            .retain(|suite| suite.tls13().is_some() || wanted.contains(&of(suite)));
    }
    if !config.curve_preferences.is_empty() {
        let named = |group: &str| match group {
            "CurveP256" => Some("secp256r1"),
            "CurveP384" => Some("secp384r1"),
            "X25519" => Some("X25519"),
            _ => None,
        };
        let mut groups = Vec::new();
        for wanted in &config.curve_preferences {
            let name = named(wanted);
            let of = |group: &&&dyn tokio_rustls::rustls::crypto::SupportedKxGroup| {
                name.is_some_and(|name| format!("{:?}", group.name()) == name)
            };
            let group = provider.kx_groups.iter().find(of);
            groups.push(*group.ok_or_else(|| {
                let known = "known: CurveP256, CurveP384, X25519";
                ("curve_preferences", format!("{wanted} is not offered; {known}"))
            })?);
        }
        provider.kx_groups = groups;
    }
    Ok(provider)
}

fn versions(config: &TlsConfig) -> Result<Vec<&'static SupportedProtocolVersion>, Wrong> {
    let version = |key, text: &Option<String>, default: u16| match text.as_deref() {
        None => Ok(default),
        Some("TLS12") => Ok(12),
        Some("TLS13") => Ok(13),
        Some(other) => Err((key, format!("{other} is not offered; known: TLS12, TLS13"))),
    };
    let least = version("min_version", &config.min_version, 12)?;
    let most = version("max_version", &config.max_version, 13)?;
    let all = [(12, &TLS12), (13, &TLS13)];
    let offered: Vec<_> = all
        .into_iter()
        .filter(|(number, _)| (least..=most).contains(number))
        .map(|(_, version)| version)
        .collect();
    if offered.is_empty() {
        return Err(("max_version", "smaller than min_version".to_owned()));
    }
    Ok(offered)
}

/// What clients have to show.
fn verifier(
    config: &TlsConfig,
    client_ca: Option<String>,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, Wrong> {
    const KEY: &str = "client_auth_type";
    let optional = match config.client_auth_type.as_deref() {
        None | Some("" | "NoClientCert") => {
            return if client_ca.is_some() || !config.client_allowed_sans.is_empty() {
                Err((KEY, "client certificates are described, but nobody wants one".to_owned()))
            } else {
                Ok(None)
            };
        }
        Some("RequireAndVerifyClientCert") => false,
        Some("VerifyClientCertIfGiven") => true,
        Some(unverified @ ("RequestClientCert" | "RequireAnyClientCert")) => {
            let problem = format!("{unverified} would let everybody in: certificates are verified");
            return Err((KEY, problem));
        }
        Some(_) => {
            let known = "NoClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert";
            return Err((KEY, format!("expected one of {known}")));
        }
    };
    let pem = client_ca.ok_or(("client_ca_file", "missing".to_owned()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&pem, "client_ca_file")? {
        roots.add(certificate).map_err(|error| ("client_ca_file", error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if optional { builder.allow_unauthenticated() } else { builder };
    let chain = builder.build().map_err(|error| ("client_ca_file", error.to_string()))?;
    let name = |name: &String| {
        let problem = format!("{name} is no DNS name or address");
        ServerName::try_from(name.clone()).map_err(|_| ("client_allowed_sans", problem))
    };
    let names = config.client_allowed_sans.iter().map(name).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Arc::new(NamedClients { chain, names })))
}

/// Clients whose certificates are good and, where names are given, have one of them.
#[derive(Debug)]
struct NamedClients {
    chain: Arc<dyn ClientCertVerifier>,
    names: Vec<ServerName<'static>>,
}

impl ClientCertVerifier for NamedClients {
    fn offer_client_auth(&self) -> bool {
        self.chain.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let is_named = |name| verify_server_name(&certificate, name).is_ok();
        if self.names.is_empty() || self.names.iter().any(is_named) {
            Ok(verified)
        } else {
            Err(Error::InvalidCertificate(CertificateError::NotValidForName))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
