//! Whom to trust.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::ClientError;

/// Where distributions keep the authorities that they trust.
const OF_THE_HOST: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Trusts those of a file, or of this host. Read anew each time, as authorities change.
pub(super) fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, ClientError> {
    let known = || OF_THE_HOST.iter().map(Path::new).find(|path| path.exists());
    let path = ca_file.or_else(known).ok_or(ClientError::NoAuthorities)?;
    let wrong = |error: &dyn std::fmt::Display| ClientError::Authorities {
        path: path.to_owned(),
        error: error.to_string(),
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    for certificate in certificates {
        let added = roots.add(certificate.map_err(|error| wrong(&error))?);
        // One of those of the host may be of a kind that nobody can use.
        if ca_file.is_some() {
            added.map_err(|error| wrong(&error))?;
        }
    }
    if roots.is_empty() {
        return Err(wrong(&"no certificate in it"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
