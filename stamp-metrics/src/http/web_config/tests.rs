//! What a file may say, and what is said about one that is wrong.

use super::*;

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stamp-web-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn load(&self, text: &str) -> Result<WebConfig, String> {
        let path = self.0.join("web.yml");
        fs::write(&path, text).unwrap();
        let loaded = WebConfig::load(&path, &mut Stamp::default());
        loaded.map_err(|error| error.to_string().replace(&format!("{}: ", path.display()), ""))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const HASH: &str = "$2b$04$Ro0CUfOqk6cXEKf3dyaM7OhSCvnwM9s4wIX9JeLapehKK5YdLxKcm";

#[test]
fn a_file_of_the_exporters_is_taken_as_it_is() {
    let folder = Folder::new("whole");
    let config = folder
        .load(&format!(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
             client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  \
             client_allowed_sans: [prometheus.example]\n  min_version: TLS12\n  \
             prefer_server_cipher_suites: true\n\
             http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n\
             basic_auth_users:\n  alice: {HASH}\n"
        ))
        .unwrap();
    let tls = config.tls.unwrap();
    assert_eq!(tls.cert_file.as_deref(), Some(Path::new("server.crt")));
    assert_eq!(tls.client_allowed_sans, ["prometheus.example"]);
    assert_eq!(config.headers[0].1, "deny");
    assert_eq!(config.users["alice"], HASH);
}

#[test]
fn an_empty_file_lets_everybody_in() {
    let config = Folder::new("empty").load("\n").unwrap();
    assert!(config.tls.is_none() && config.users.is_empty() && config.headers.is_empty());
}

#[test]
fn what_is_wrong_is_named() {
    let folder = Folder::new("wrong");
    for (text, told) in [
        ("tls_config: {}\n", "unknown field `tls_config`"),
        ("tls_server_config:\n  certfile: x\n", "unknown field `certfile`"),
        ("http_server_config:\n  headers:\n    Server: x\n", "headers.Server: cannot be set"),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: yes\n",
            "expected deny or sameorigin",
        ),
        ("basic_auth_users:\n  alice: secret\n", "basic_auth_users.alice: not a bcrypt hash"),
        ("basic_auth_users: [\n", ""),
    ] {
        let error = folder.load(text).err().unwrap();
        assert!(error.contains(told), "{error} of {text}");
    }
}

#[test]
fn a_change_is_noticed_once() {
    let folder = Folder::new("change");
    let path = folder.0.join("file");
    fs::write(&path, "a").unwrap();
    let mut stamp = Stamp::default();
    stamp.read(&path).unwrap();
    assert!(stamp.is_current());
    fs::write(&path, "ab").unwrap();
    assert!(!stamp.is_current());
    stamp.renew();
    assert!(stamp.is_current());
    fs::remove_file(&path).unwrap();
    assert!(!stamp.is_current());
}
