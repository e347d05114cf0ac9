//! The far clock of enhanced loopback, learned from the reflector beside the node that stamps.

use stamp_tests::netns::{self, Need, Program, Trial, trials};

use super::network::Net;
use crate::measure::session;
use crate::timestamping::Folder;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        what_the_reflector_says_of_its_clock_is_believed: [Need::IPV6],
        a_reflector_that_is_silent_leaves_the_far_clock_unknown: [Need::IPV6],
    ]
}

const FLAGS: &str = "192.0.2.2 -p 8620 --mode enhanced-loopback --segments 16011,16002 \
                     --via s-a,10.0.1.2 --far-clock learn --clock synchronized,error=1us -i 20ms";

/// r stamps, and its reflector answers at this address.
fn node(net: &Net, folder: &Folder, listen: &str) -> Program {
    let text = format!(
        "listen = [\"{listen}:8620\"]\nclock = {{ synchronized = true, error = \"3us\" }}\n\
         [[timestamp]]\nextended = 240\ninterfaces = [\"a-r\"]\n"
    );
    let file = folder.write("node.toml", &text);
    let program = net.host("r").spawn(netns::binary("stamp-reflector").arg(file));
    program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    program
}

fn what_the_reflector_says_of_its_clock_is_believed() {
    let (net, folder) = (Net::up(), Folder::new());
    let _node = node(&net, &folder, "192.0.2.2");
    let finished = net.send(&format!("{FLAGS} -c 60 --json"));
    finished.assert_code(0);
    let told = finished.json();
    assert_eq!(told["sessions"].as_array().map(Vec::len), Some(1), "nobody else is told of");
    let session = session(&finished);
    let clock = &session["clock"];
    let far = &clock["far"];
    assert_eq!((&far["synchronized"], &far["learned"]), (&true.into(), &true.into()), "{far}");
    assert_eq!(far["declared"], false, "{far}");
    assert_eq!(far["learned_from"], "192.0.2.2:8620", "{far}");
    // The Error Estimate is rounded up.
    let bound = far["error_bound_ns"].as_u64().expect("a bound");
    assert!((3_000..3_100).contains(&bound), "{far}");
    assert_eq!(clock["one_way"]["synchronized"], true, "{clock}");
    assert_eq!(clock["one_way"]["error_bound_ns"], bound + 1_000, "{clock}");
    assert_eq!(session["stamping"]["stamped"], session["packets"]["received"], "{finished}");
    let shown = net.send(&format!("{FLAGS} -c 20"));
    for words in ["the far clock is synchronized within 3.0", "(learned from 192.0.2.2:8620)"] {
        assert!(shown.stdout.contains(words), "{words}: {shown}");
    }
}

fn a_reflector_that_is_silent_leaves_the_far_clock_unknown() {
    let (net, folder) = (Net::up(), Folder::new());
    let _node = node(&net, &folder, "127.0.0.1");
    let finished = net.send(&format!("{FLAGS} -c 20 --json"));
    finished.assert_code(0);
    let session = session(&finished);
    let clock = &session["clock"];
    assert_eq!(clock["far"]["synchronized"], serde_json::Value::Null, "{clock}");
    assert_eq!(
        (&clock["far"]["learned"], &clock["one_way"]["synchronized"]),
        (&false.into(), &false.into())
    );
    let findings = session["findings"].as_array().expect("findings");
    let unknown = findings.iter().find(|finding| finding["kind"] == "far_clock_unknown");
    let text = unknown.and_then(|finding| finding["text"].as_str()).unwrap_or_default();
    assert!(text.starts_with("No reflector at 192.0.2.2:8620 says anything"), "{findings:?}");
}
