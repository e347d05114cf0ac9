//! What a daemon chooses, carried to a file, to a server and to the routes of somebody who may see a part of it.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};
use stamp_tests::netns::{self, Need, Program, Signal, Trial, trials};

use super::network::{Net, OPEN, TOPOLOGY};
use super::service::{DELAYS, LOSSES, Pace, QUICK, SLOW, Service, head};
use crate::daemon::receiver::{Receiver, body};
use crate::http::{value, wait_for};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_file_is_replaced_as_a_whole_and_by_writers_that_were_told_to: [Need::IPV6],
        a_server_is_told_everything_once_it_takes_it_and_no_more_than_it_may: [Need::IPV6],
        a_server_that_never_answers_holds_up_no_end: [Need::IPV6],
        a_server_that_takes_nothing_back_holds_up_no_end: [Need::IPV6],
        a_pce_is_told_of_each_path_by_a_file_of_its_own: [Need::IPV6],
        a_client_has_routes_to_its_own_prefixes_until_its_token_is_taken_away: [Need::IPV6],
    ]
}

/// Two policies, of which the first leaves the way past b when that is slow.
const POLICIES: &str = "\
srv6 = \"encap\"

[write]
listen = \"127.0.0.1:9864\"

[class.gaming]
require = { forward-p99 = \"500ms\" }
traffic = { prefixes = [\"2001:db8:f::/64\"] }
hold = \"1s\"
changes-per-hour = 100

[class.bulk]
traffic = { prefixes = [\"2001:db8:e::/64\"] }

[[policy]]
name = \"gaming-to-r\"
from = \"s\"
color = 100
endpoint = \"2001:db8::2\"
class = \"gaming\"
[[policy.candidate]]
name = \"past-b\"
preference = 200
dataplane = \"srv6\"
segments = [\"b\", \"fcbb:bb00:2:d6::\"]
[[policy.candidate]]
name = \"past-c\"
dataplane = \"srv6\"
segments = [\"c\", \"fcbb:bb00:2:d6::\"]

[[policy]]
name = \"bulk-to-r\"
from = \"s\"
color = 200
endpoint = \"2001:db8::2\"
class = \"bulk\"
[[policy.candidate]]
name = \"past-a\"
dataplane = \"srv6\"
segments = [\"a\", \"fcbb:bb00:2:d6::\"]
";

const OWN: u16 = 9864;

fn file(pace: Pace, more: &str) -> String {
    format!("{}{POLICIES}{more}", head(pace))
}

/// A network, its daemon with both policies in force, and a writer that follows it.
struct Stage {
    net: Net,
    service: Service,
    _far: Program,
}

impl Stage {
    fn set(pace: Pace, more: &str) -> Self {
        let net = Net::up();
        let far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
        let service = Service::start(&net, TOPOLOGY, &file(pace, more));
        // Whichever is measured first may carry for a moment.
        service.moved("to=past-b", 1);
        service.moved("to=past-a", 1);
        Self { net, service, _far: far }
    }

    fn writer(&self) -> Program {
        let mut command = netns::binary("stamp-sender");
        self.net.host("s").spawn(command.arg("write").arg(self.service.file("run.toml")))
    }
}

/// The candidate path of the first policy in a document.
fn active(document: &Value) -> &str {
    let paths = document["paths"].as_array().into_iter().flatten();
    let mut found = paths.filter(|path| path["policy"] == "gaming-to-r");
    found.next().and_then(|path| path["active"].as_str()).unwrap_or_default()
}

fn read(file: &PathBuf) -> Option<Value> {
    let octets = fs::read(file).ok()?;
    Some(serde_json::from_slice(&octets).expect("a whole document"))
}

/// Somebody who reads a file again and again; what it saw of the first policy, in order.
struct Reader {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Reader {
    fn of(file: PathBuf) -> Self {
        let ends = Arc::<AtomicBool>::default();
        let ended = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut seen: Vec<String> = Vec::new();
            loop {
                // What stood there when it was told to end is seen too.
                let is_last = ended.load(Ordering::SeqCst);
                let document = read(&file).unwrap_or_default();
                let now = active(&document);
                if seen.last().is_none_or(|last| last != now) {
                    seen.push(now.to_owned());
                }
                if is_last {
                    return seen;
                }
            }
        });
        Self { ends, thread }
    }

    fn seen(self) -> Vec<String> {
        self.ends.store(true, Ordering::SeqCst);
        self.thread.join().expect("it never sees half of a document")
    }
}

const FILES: &str = "
[[writer]]
kind = \"file\"
name = \"undone\"
file = \"undone.json\"
mode = \"0640\"
dry-run = false
on-exit = \"undo\"

[[writer]]
kind = \"file\"
name = \"kept\"
file = \"kept.json\"
policies = [\"gaming-to-r\"]
dry-run = false

[[writer]]
kind = \"file\"
name = \"dry\"
file = \"dry.json\"
";

fn a_file_is_replaced_as_a_whole_and_by_writers_that_were_told_to() {
    let mut stage = Stage::set(DELAYS, FILES);
    let [undone, kept, dry] =
        ["undone.json", "kept.json", "dry.json"].map(|name| stage.service.file(name));
    let reader = Reader::of(undone.clone());
    let writer = stage.writer();
    let says = |file: &PathBuf, path: &str| read(file).is_some_and(|it| active(&it) == path);
    writer.wait_until("both files", || says(&undone, "past-b") && says(&kept, "past-b"));
    // Held open: no other file can have its number meanwhile.
    let before = fs::File::open(&undone).expect("it is there");
    let file = before.metadata().expect("it is there");
    assert_eq!(file.permissions().mode() & 0o777, 0o640);
    let paths = |file| read(file).map(|it| it["paths"].as_array().map_or(0, Vec::len));
    assert_eq!((paths(&undone), paths(&kept)), (Some(2), Some(1)), "one of them carries a part");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o604)).expect("it is ours");
    stage.net.delay("s>b", SLOW);
    writer.wait_until("another path", || says(&undone, "past-c") && says(&kept, "past-c"));
    let mut seen = reader.seen();
    // Before there was a file.
    seen.retain(|path| !path.is_empty());
    assert_eq!(seen, ["past-b", "past-c"]);
    let new = fs::metadata(&undone).expect("it is there");
    assert_ne!(new.ino(), file.ino(), "another file in its place");
    let before: Value = serde_json::from_reader(&before).expect("a whole document");
    assert_eq!(active(&before), "past-b", "whoever reads it still has all of it");
    assert_eq!(new.permissions().mode() & 0o777, 0o640);
    let mode = fs::metadata(&kept).map(|file| file.permissions().mode() & 0o777);
    assert_eq!(mode.expect("it is there"), 0o604, "what an operator has set stays");
    let line = format!("write {} (paths: 2)", dry.display());
    writer.wait_for_line(|said| said == line);
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    assert!(!undone.exists() && !dry.exists(), "undone, and never done");
    assert!(says(&kept, "past-c"), "it stays unless told otherwise");
    let folder = kept.parent().expect("a folder");
    let names = fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
    stage.service.stop("path");
}

const SERVER: &str = "
[[writer]]
kind = \"webhook\"
url = \"http://127.0.0.1:8080/paths\"
dry-run = false
on-exit = \"undo\"
changes-per-hour = 1
";

/// Of a server that is not well.
const REFUSALS: [&str; 2] =
    ["500 Internal Server Error", "503 Service Unavailable\r\nRetry-After: 3"];

fn a_server_is_told_everything_once_it_takes_it_and_no_more_than_it_may() {
    let mut stage = Stage::set(DELAYS, SERVER);
    let writer = stage.writer();
    writer.wait_for_error_line(|line| {
        line.contains("msg=\"not written\"") && line.contains("Connection refused")
    });
    let host = stage.net.host("s");
    let server = Receiver::answering(&host, 8080, &REFUSALS);
    // Neither takes it: the third time it is asked as late as it wanted.
    let (first, _) = server.next_at();
    let (second, refused) = server.next_at();
    let (third, taken) = server.next_at();
    assert!(second > first && third - second >= Duration::from_secs(3), "{:?}", third - second);
    assert_eq!((active(&taken), &taken["paths"]), ("past-b", &refused["paths"]));
    assert_eq!(taken["paths"].as_array().map(Vec::len), Some(2), "{taken}");
    stage.net.delay("s>b", SLOW);
    let moved = loop {
        // How a path fares is told besides.
        let told = server.next();
        if active(&told) != "past-b" {
            break told;
        }
    };
    assert_eq!(active(&moved), "past-c", "{moved}");
    assert_eq!(moved["paths"].as_array().map(Vec::len), Some(2), "all of it: {moved}");
    assert!(moved["sequence"].as_u64() > taken["sequence"].as_u64(), "{moved}");
    // One change an hour, and that was it.
    stage.net.delay("s>b", QUICK);
    writer.wait_for_error_line(|line| line.contains("msg=\"a change is held back\""));
    let held = "stamp_writer_policies{writer=\"webhook\",state=\"held\"}";
    let text = wait_for((&host, OWN), held, |held| held == 1.0);
    let made = value(&text, "stamp_writer_changes_total{writer=\"webhook\",result=\"made\"}");
    assert!(made >= Some(2.0), "{text}");
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    let rest = server.rest();
    let paths: Vec<&Value> = rest.iter().map(|body| &body["paths"]).collect();
    assert_eq!(paths.last(), Some(&&json!([])), "nothing is left behind: {rest:?}");
    // What is told besides the way is no change.
    assert!(rest.iter().rev().skip(1).all(|body| active(body) == "past-c"), "{rest:?}");
    stage.service.stop("path");
}

/// Of a server that takes a request and never answers.
const MUTE: &str = "
[[writer]]
kind = \"webhook\"
url = \"http://127.0.0.1:8080/paths\"
dry-run = false
timeout = \"60s\"
";

fn a_server_that_never_answers_holds_up_no_end() {
    let stage = Stage::set(LOSSES, MUTE);
    let host = stage.net.host("s");
    let listener = host.run(|| TcpListener::bind("127.0.0.1:8080")).expect("the port is free");
    let writer = stage.writer();
    let (mut stream, _) = listener.accept().expect("it asks");
    let told: Value = serde_json::from_slice(&body(&mut stream)).expect("a JSON object");
    assert_eq!(active(&told), "past-b");
    writer.signal(Signal::SIGTERM);
    let finished = writer.wait_within(Duration::from_secs(20));
    finished.assert_code(0);
    let told = "msg=\"the end came while something was being written\" writer=webhook";
    assert!(finished.stderr.contains(told), "{finished}");
    stage.service.stop("path");
}

fn a_server_that_takes_nothing_back_holds_up_no_end() {
    let stage = Stage::set(LOSSES, &format!("{MUTE}on-exit = \"undo\"\n"));
    let host = stage.net.host("s");
    let listener = host.run(|| TcpListener::bind("127.0.0.1:8080")).expect("the port is free");
    let writer = stage.writer();
    let asked = || {
        let (mut stream, _) = listener.accept().expect("it asks");
        let told: Value = serde_json::from_slice(&body(&mut stream)).expect("a JSON object");
        (stream, told)
    };
    let answer = |mut stream: TcpStream| {
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("it reads");
    };
    let (stream, told) = asked();
    assert_eq!(active(&told), "past-b");
    answer(stream);
    writer.wait_for_error_line(|line| line.contains("msg=written"));
    writer.signal(Signal::SIGTERM);
    // How a path fares may be told once more before.
    let _unanswered = loop {
        let (stream, told) = asked();
        if told["paths"] == json!([]) {
            break stream;
        }
        answer(stream);
    };
    let finished = writer.wait_within(Duration::from_secs(20));
    finished.assert_code(0);
    let told = "msg=\"the end came before what was written was taken away\" writer=webhook";
    assert!(finished.stderr.contains(told), "{finished}");
    stage.service.stop("path");
}

/// What a PCE would be told, and when it would forget it, is written down beside.
const PCE: &str = r#"
[[writer]]
kind = "pola"
folder = "."
session = "fd00::1"
headend = "2001:db8::1"
headends = ["s"]
policies = ["gaming-to-r"]
asn = 65000
add-command = ["sh", "-c", "cat \"$0\" >> \"$(dirname \"$0\")/told\""]
delete-command = ["sh", "-c", "mv \"$(dirname \"$0\")/told\" \"$(dirname \"$0\")/forgotten\""]
dry-run = false
on-exit = "undo"
"#;

fn a_pce_is_told_of_each_path_by_a_file_of_its_own() {
    let mut stage = Stage::set(DELAYS, PCE);
    let [file, told, forgotten] =
        ["gaming-to-r.yaml", "told", "forgotten"].map(|name| stage.service.file(name));
    let writer = stage.writer();
    let text = |file: &PathBuf| fs::read_to_string(file).unwrap_or_default();
    writer.wait_until("its file", || text(&file).contains("preference: 200\n"));
    let first = text(&file);
    for line in [
        "asn: 65000\n",
        "  pcepSessionAddr: 'fd00::1'\n",
        "  endpoint: '2001:db8::2'\n",
        "  name: 'gaming-to-r'\n",
        "      - sid: 'fc00:bb:12:1::'\n        localAddr: '",
        "      - sid: 'fcbb:bb00:2:d6::'\n        localAddr: '",
    ] {
        assert!(first.contains(line), "{line:?} in {first}");
    }
    stage.net.delay("s>b", SLOW);
    writer.wait_until("another path", || text(&file).contains("preference: 100\n"));
    let second = text(&file);
    assert!(second.contains("- sid: 'fc00:bb:13:1::'\n"), "{second}");
    assert_eq!(text(&told), first + &second, "each once");
    assert!(!stage.service.file("bulk-to-r.yaml").exists(), "it carries one of both");
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    assert!(!file.exists() && !told.exists() && forgotten.exists(), "undone");
    stage.service.stop("path");
}

const CLIENT: &str = "
[[client]]
name = \"branch\"
token-file = \"branch\"
to = [\"2001:db8:f::/64\"]

[[client]]
name = \"other\"
token-file = \"other\"
to = [\"2001:db8:e::/64\"]

[[writer]]
kind = \"linux\"
dry-run = false
from-token-file = \"branch\"
";

fn a_client_has_routes_to_its_own_prefixes_until_its_token_is_taken_away() {
    let mut stage = Stage::set(DELAYS, CLIENT);
    stage.service.write("branch", "the token of a branch");
    stage.service.write("other", "the token of another");
    let writer = stage.writer();
    let host = stage.net.host("s");
    let routes = || {
        let mut ip = Command::new("ip");
        ip.args(["-6", "route", "show", "table", "all", "proto", "84"]);
        host.spawn(&mut ip).wait().assert_code(0).stdout.clone()
    };
    // The nodes in the middle of both ways.
    for (way, delay) in [("fc00:bb:12:1::", None), ("fc00:bb:13:1::", Some(SLOW))] {
        delay.into_iter().for_each(|delay| stage.net.delay("s>b", delay));
        let segments = format!("2001:db8:f::/64  encap seg6 mode encap segs 2 [ {way} ");
        writer.wait_until("its route", || routes().contains(&segments));
        assert_eq!(routes().lines().count(), 1, "another's are hidden: {}", routes());
    }
    assert!(!writer.stderr().contains("not heard"), "it was followed: {}", writer.stderr());
    let in_force = routes();
    let (_, without) = CLIENT.split_once("[[client]]\nname = \"other\"").expect("both");
    let more = format!("\n[[client]]\nname = \"other\"{without}");
    stage.service.reload(&file(DELAYS, &more));
    stage.service.told("msg=\"configuration reloaded\"");
    // What it may not see any more it is not told.
    stage.net.delay("s>b", QUICK);
    for reason in ["the daemon ended the connection", "the answer is 401"] {
        writer.wait_for_error_line(|line| {
            line.contains("the daemon is not heard; what is written stays") && line.contains(reason)
        });
    }
    assert_eq!(routes(), in_force);
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    stage.service.stop("path");
}
