use std::process::Command;

use super::*;

const PAGE: &str = "# Page\n\n<!-- stage: two-hosts -->\n\n```console\nfar# stamp-reflector &\n\
    near$ stamp-sender far -c 3\n3 sent, 3 received\n...\nclocks: synchronised\n```\n\n\
    <!-- status: 1 -->\n```console\n$ stamp-sender nobody\n```\n\n```toml\na = 1\n```\n";

fn page(text: &str) -> Page {
    parse(&File::imagined("docs/guide/page.md", text)).expect("a good page")
}

fn complaints(text: &str) -> Vec<String> {
    let found = parse(&File::imagined("docs/guide/page.md", text)).expect_err("a bad page");
    found.into_iter().map(|finding| finding.message).collect()
}

/// Answers every command from a list, by its first words.
struct Script(Vec<(&'static str, i32, &'static str)>);

impl Stage for Script {
    fn run(&mut self, step: &Step) -> io::Result<Ran> {
        let known = self.0.iter().find(|(command, ..)| step.command.starts_with(command));
        let (_, status, output) = known.ok_or(io::ErrorKind::NotFound)?;
        Ok(Ran { status: *status, output: (*output).into() })
    }
}

/// This machine's shell.
struct Shell;

impl Stage for Shell {
    fn run(&mut self, step: &Step) -> io::Result<Ran> {
        let output = Command::new("sh").arg("-c").arg(&step.command).output()?;
        let text = [output.stdout, output.stderr].concat();
        let output_text = String::from_utf8_lossy(&text).into_owned();
        Ok(Ran { status: output.status.code().unwrap_or(-1), output: output_text })
    }
}

#[test]
fn a_page_is_read() {
    let page = page(PAGE);
    assert_eq!(page.stage, "two-hosts");
    let [reflector, sender, nobody] = &page.steps[..] else { panic!("three steps") };
    assert_eq!((reflector.host.as_str(), reflector.as_root), ("far", true));
    assert_eq!((reflector.command.as_str(), reflector.in_background), ("stamp-reflector", true));
    assert_eq!((sender.host.as_str(), sender.as_root, sender.line), ("near", false, 7));
    assert_eq!(sender.expected, ["3 sent, 3 received", "...", "clocks: synchronised"]);
    assert_eq!((nobody.host.as_str(), nobody.status), ("", Some(1)));
    assert_eq!(sender.status, Some(0));
}

#[test]
fn bad_pages_are_named() {
    assert!(complaints("# x\n\n```console\n$ true\n```\n")[0].contains("stage"));
    assert!(complaints("<!-- stage: a -->\n")[0].contains("without a command"));
    let late = "<!-- stage: a -->\n```console\noutput\n$ true\n```\n";
    assert!(complaints(late)[0].contains("begins with a prompt"));
    let open = "<!-- stage: a -->\n```console\n$ true\n";
    assert!(complaints(open)[0].contains("not closed"));
    let unread = "<!-- stage: a -->\n```console\n$ true\n```\n```bash\nrm x\n```\n";
    assert!(complaints(unread)[0].contains("where they are run"));
    let status = "<!-- stage: a -->\n<!-- status: one -->\n```console\n$ true\n```\n";
    assert!(complaints(status)[0].contains("a number"));
}

#[test]
fn a_page_that_is_true_passes() {
    let mut stage = Script(vec![
        ("stamp-reflector", 0, ""),
        ("stamp-sender far", 0, "to far\n12 sent,  11 received\nmore\nclocks: synchronised\n"),
        ("stamp-sender nobody", 1, "nobody answers"),
    ]);
    assert_eq!(play(&page(PAGE), &mut stage), []);
}

#[test]
fn a_page_that_lies_is_found() {
    let mut stage = Script(vec![
        ("stamp-reflector", 0, ""),
        ("stamp-sender far", 0, "3 sent, 3 received\nclocks: free running\n"),
        ("stamp-sender nobody", 2, ""),
    ]);
    let found = play(&page(PAGE), &mut stage);
    assert_eq!(found.len(), 2);
    assert!(found[0].message.contains("no line like `clocks: synchronised`"));
    assert!(found[1].message.contains("status 2 instead of 1"));
}

#[test]
fn figures_and_their_units_do_not_count() {
    let alike = [
        (
            "10 sent, 10 received, 0 lost (0%) in 904ms",
            "9 sent, 9 received, 1 lost (11.1%) in 1.01s",
        ),
        ("forward?      2.93us  3.20us   n", "forward  -17ns  1m30s n"),
        ("--- 192.0.2.2:8620 ------", "--- 10.0.0.1:862 ---"),
        ("MTU 1400; -s 1372 fits.", "MTU 900;  -s 872 fits."),
    ];
    for (one, other) in alike {
        assert_eq!(shape(one), shape(other));
    }
    let different = [
        ("p50", "p95"),
        ("CS0", "CS1"),
        ("3 lost", "3 received"),
        ("5 hops", "5ms"),
        ("stateless, NTP", "stateful, NTP"),
        ("back EF", "back"),
    ];
    for (one, other) in different {
        assert_ne!(shape(one), shape(other));
    }
}

#[test]
fn lines_must_follow_each_other_unless_the_page_skips() {
    let expected = |lines: &[&str]| lines.iter().map(|line| (*line).into()).collect::<Vec<_>>();
    let output = "a 1.5 ms\nb\nc\n";
    assert_eq!(first_missing(&expected(&["a 22.75 ms", "b"]), output), None);
    assert_eq!(first_missing(&expected(&["a 1.5 ms", "c"]), output), Some("c"));
    assert_eq!(first_missing(&expected(&["a 1.5 ms", "...", "c"]), output), None);
    assert_eq!(first_missing(&expected(&["c", "...", "a 1.5 ms"]), output), Some("a 1.5 ms"));
}

#[test]
fn a_command_that_cannot_start_is_found() {
    let found = play(&page(PAGE), &mut Script(Vec::new()));
    assert_eq!(found.len(), 3);
    assert!(found[0].message.contains("not started"));
}

#[test]
fn a_real_shell_can_be_the_stage() {
    let text = "<!-- stage: shell -->\n```console\n$ echo \"1 and $((40 + 2))\"\n7 and 8\n```\n\
        <!-- status: 3 -->\n```console\n$ exit 3\n```\n";
    assert_eq!(play(&page(text), &mut Shell), []);
    assert_eq!(play(&page(&text.replace("7 and 8", "7 or 8")), &mut Shell).len(), 1);
    assert_eq!(play(&page(&text.replace("status: 3", "status: 4")), &mut Shell).len(), 1);
    assert_eq!(play(&page(&text.replace("status: 3", "status: any")), &mut Shell), []);
}
