use stamp_config::document::read as document;

use super::*;

fn writers(text: &str) -> Result<Writers, String> {
    let folder = Path::new("/etc/stamp");
    let read = |root: &Section<'_>| {
        let web = Web::read(root, folder, 9862);
        let paths = Paths::default();
        let topology = Some(Path::new("/etc/stamp/net.toml"));
        Writers::read(root, folder, Beside { web: &web, topology, paths: &paths })
    };
    document("f", text, read).map_err(|error| error.to_string())
}

#[test]
fn little_has_to_be_said() {
    let text = "web = { listen = [\"[::]:0\", \":9000\"] }\n[[writer]]\nkind = \"linux\"\n";
    let [writer] = &writers(text).unwrap().writers[..] else { panic!() };
    assert!(writer.dry_run, "what nobody asked for is not done");
    assert_eq!((writer.name.as_str(), writer.source.url.text()), ("linux", "http://[::1]:9000"));
    assert_eq!((writer.on_exit, writer.changes_per_hour), (OnExit::Keep, 60));
    let Target::Linux(linux) = &writer.target else { panic!("{writer:?}") };
    assert_eq!((linux.table, linux.priority, linux.protocol.0), (8300, 8300, 84));
    assert_eq!(linux.topology.as_deref(), Some(Path::new("/etc/stamp/net.toml")));
}

#[test]
fn what_is_shown_says_the_same_when_it_is_read() {
    let text = "write = { listen = \":9864\", config-file = \"web.yml\" }\n\
                [[writer]]\nkind = \"linux\"\ndry-run = false\nprotocol = 99\ntable = 1000\n\
                priority = 100\nsrv6 = \"reduced\"\ncheck-every = \"1s\"\ntopology = \"other.toml\"\n\
                headends = [\"1\"]\npolicies = [\"a b\"]\nclasses = \"gaming\"\non-exit = \"undo\"\n\
                changes-per-hour = 6\n\
                [[writer]]\nkind = \"file\"\nfile = \"paths.json\"\nmode = \"0640\"\nfrom = \"https://far:1\"\n\
                from-token-file = \"token\"\nfrom-ca-file = \"ca.pem\"\n\
                [[writer]]\nkind = \"webhook\"\nname = \"controller\"\nurl = \"http://c/paths\"\n\
                method = \"post\"\ntimeout = \"2s\"\ntoken-file = \"t\"\nca-file = \"c.pem\"\n";
    let text = &(text.to_owned()
        + "[[writer]]\nkind = \"frr\"\nfile = \"frr.conf\"\napply = true\nroute-map = \"gold\"\n\
           links = { eth0 = \"r1-r2\", \"eth1.7\" = \"r1 r3\" }\n\
           [[writer]]\nkind = \"pola\"\nfolder = \"pola\"\nsession = \"10.0.60.1\"\n\
           headend = \"192.0.2.1\"\nasn = 65000\nadd-command = [\"pola\", \"sr-policy\", \"add\", \"-f\"]\n\
           delete-command = [\"pola\", \"sr-policy\", \"delete\", \"-f\"]\n");
    let read = writers(text).unwrap();
    let names: Vec<_> = read.writers.iter().map(|writer| writer.name.as_str()).collect();
    assert_eq!(names, ["linux", "file", "controller", "frr", "pola"]);
    assert_eq!(read.config_file.as_deref(), Some(Path::new("/etc/stamp/web.yml")));
    assert_eq!(writers(&read.show()), Ok(read));
    assert_eq!(writers("").unwrap().show(), "");
}

#[test]
fn mistakes_are_told_where_they_stand() {
    let text = "[web]\nlisten = \"off\"\n[[writer]]\nkind = \"linx\"\ntable = 254\nfile = \"x\"\n\
                [[writer]]\nkind = \"file\"\ntable = 1000\nmode = \"0240\"\n\
                [[writer]]\nkind = \"linux\"\nfrom = \"far\"\nchanges-per-hour = 0\ntable = 254\n\
                [[writer]]\nkind = \"linux\"\nfrom = \"http://a\"\n\
                [[writer]]\nkind = \"linux\"\nfrom = \"http://a\"\nprotocol = 83\n";
    let expected = "\
f:3:1: writer[0].from: web.listen names no port to follow: say where the daemon is
f:4:8: writer[0].kind = \"linx\": expected linux, frr, pola, file or webhook
f:7:1: writer[1].from: web.listen names no port to follow: say where the daemon is
f:7:1: writer[1].file: missing; expected a text that is not empty
f:9:1: writer[1].table: unknown key
f:10:8: writer[1].mode = \"0240\": expected the rights of a file in octal digits, such as 0640, that let its owner read it
f:13:8: writer[2].from = \"far\": expected http://HOST:PORT/PATH or https://HOST:PORT/PATH, without a user in it
f:14:20: writer[2].changes-per-hour = 0: expected a count from 1 to 3600
f:15:9: writer[2].table = 254: expected a number from 256 to 4294967000; the 64 behind it are used too
f:20:8: writer[4].kind = \"linux\": another writer is called linux; give a name
f:20:8: writer[4].kind = \"linux\": another writer of this kind has the same protocol number, tables or priorities: give protocol, table and priority
f:22:12: writer[4].protocol = 83: expected a number from 5 to 255 that no other program uses; 83 is taken";
    assert_eq!(writers(text).unwrap_err(), expected);
}

#[test]
fn what_pola_has_no_words_for_is_found_in_the_file() {
    let writer = "[[writer]]\nkind = \"pola\"\nsession = \"10.0.60.1\"\n";
    let text = format!(
        "{writer}folder = \"a\"\nfrom = \"http://a\"\nheadends = [\"1\", \"2\"]\nadd-command = []\n\
         {writer}name = \"b\"\nfolder = \"a\"\nasn = 0\n\
         [[policy]]\ncolor = 1\nendpoint = \"192.0.2.2\"\n\
         candidate = [{{ name = \"many\", dynamic = {{ paths = 4 }} }}]\n\
         [[policy]]\nname = \"gold\"\ncolor = 2\nendpoint = \"192.0.2.2\"\n\
         candidate = [{{ name = \"two\", lists = [{{ segments = [\"16002\"] }}, {{ segments = [\"16003\", \"16002\"] }}] }}]\n"
    );
    let read = crate::daemon::Configuration::read("f", &text, Path::new("/etc/stamp"));
    let expected = "\
f:6:12: writer[0].headends = [\"1\", \"2\"]: a PCEP session is that of one head end: give each a writer of its own
f:7:15: writer[0].add-command = []: no program: give a list of it and its arguments
f:7:15: writer[0].add-command = []: what it does is never undone: delete-command is missing
f:8:1: writer[1].policies: many of 1-192.0.2.2 has up to 4 lists, and a candidate path of Pola has one list
f:8:1: writer[1].policies: two of gold has 2 lists, and a candidate path of Pola has one list
f:12:10: writer[1].folder = \"a\": what another writer has there would be taken away: give a folder
f:13:7: writer[1].asn = 0: expected a number of an autonomous system from 1 to 4294967295";
    assert_eq!(read.unwrap_err().to_string(), expected);
}
