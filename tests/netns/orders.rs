//! Orders to both programs over a network: by TLS and with the control token, or not at all.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use stamp_tests::netns::{self, Families, Host, Program, Signal, Trial, trials};

use crate::folder::Folder;
use crate::http::{BEARER, ask_over_tls, talk_past_tls, write_certificate};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_sender_takes_a_document_over_tls_from_whoever_has_the_token,
        a_reflector_takes_a_document_over_tls_from_whoever_has_the_token,
    ]
}

const PATH: &str = "/api/v1/config";

/// A program that is given orders from another host.
struct Ordered<'h> {
    program: Program,
    folder: Folder,
    /// What its file says.
    text: String,
    /// Who gives them.
    from: &'h Host,
    at: SocketAddr,
}

impl<'h> Ordered<'h> {
    /// Starts a program at `host`, with a file that says `text`.
    #[track_caller]
    fn start(
        command: &mut Command,
        (host, port): (&Host, u16),
        text: &str,
        from: &'h Host,
    ) -> Self {
        let folder = Folder::new();
        write_certificate(&folder);
        folder.write("token", "0123456789abcdef\n");
        let web = format!(
            "web.listen = \"0.0.0.0:{port}\"\nweb.config-file = \"web.yml\"\n\
             web.control-token-file = \"token\"\n"
        );
        let text = format!("{web}{text}");
        let file = folder.write("service.toml", &text);
        let program = host.spawn(command.arg(file));
        program.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
        Self { program, folder, text, from, at: (host.ipv4(), port).into() }
    }

    /// Status and words about a document, from somebody who shows this.
    #[track_caller]
    fn put(&self, document: &str, shown: &str) -> (u16, String) {
        let head = format!("{shown}Content-Length: {}\r\n\r\n{document}", document.len());
        ask_over_tls(self.from, self.at, "PUT", PATH, &head)
    }

    #[track_caller]
    fn in_force(&self) -> String {
        let (status, text) = ask_over_tls(self.from, self.at, "GET", "/config", "");
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Has `old` replaced by `new` in what is in force, by whoever may, and nobody else has it replaced.
    #[track_caller]
    fn takes_orders(&self, old: &str, new: &str) {
        let pushed = self.text.replace(old, new);
        assert!(pushed != self.text && self.in_force().contains(old), "{}", self.in_force());
        for shown in ["", "Authorization: Bearer 0123456789abcdeg\r\n"] {
            let (status, words) = self.put(&pushed, shown);
            assert_eq!((status, words.as_str()), (401, "the control token is wanted\n"), "{shown}");
        }
        let open = format!(
            "PUT {PATH} HTTP/1.1\r\nHost: x\r\n{BEARER}Content-Length: {}\r\n\r\n{pushed}",
            pushed.len()
        );
        // An alert of TLS, or the end of the connection.
        let told = talk_past_tls(self.from, self.at, &open).unwrap_or_default();
        assert!(!told.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&told));
        assert!(self.in_force().contains(old), "nobody has changed anything: {}", self.in_force());
        let (status, words) = self.put(&pushed, BEARER);
        assert_eq!(status, 200, "{words}");
        let is = self.in_force();
        assert!(is.contains(new) && !is.contains(old), "{is}");
        // What stands on the disk is as it was.
        let file = self.folder.path("service.toml");
        assert_eq!(fs::read_to_string(file).expect("it is ours"), self.text);
    }

    #[track_caller]
    fn stop(self) {
        self.program.signal(Signal::SIGTERM);
        self.program.wait().assert_code(0);
    }
}

fn a_sender_takes_a_document_over_tls_from_whoever_has_the_token() {
    let net = netns::two_hosts(Families::V4);
    let session = format!("[[session]]\nname = \"before\"\ntarget = \"{}\"\n", net.far.ipv4());
    let mut run = netns::binary("stamp-sender");
    let sender = Ordered::start(run.arg("run"), (&net.near, 9862), &session, &net.far);
    sender.program.wait_for_error_line(|line| line.contains("stamp-sender 0.1.0 runs"));
    sender.takes_orders("name = \"before\"", "name = \"after\"");
    sender.stop();
}

fn a_reflector_takes_a_document_over_tls_from_whoever_has_the_token() {
    let net = netns::two_hosts(Families::V4);
    let text = "listen = \"0.0.0.0:862\"\nrate-limit = 1000\n";
    let mut reflect = netns::binary("stamp-reflector");
    let reflector = Ordered::start(&mut reflect, (&net.far, 9863), text, &net.near);
    reflector.takes_orders("rate-limit = 1000", "rate-limit = 2000");
    reflector.stop();
}
