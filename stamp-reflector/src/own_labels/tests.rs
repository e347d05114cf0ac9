use std::path::PathBuf;

use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
use stamp_session::forwarding::Place;

use super::*;
use crate::config::TimestampEntry;

/// A folder of its own; gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn own(&self, range: core::ops::RangeInclusive<u32>) -> Option<OwnLabels> {
        Some(OwnLabels { range, file: self.0.join("labels") })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entry(offset: u16, trigger: Option<u32>) -> TimestampEntry {
    TimestampEntry {
        trigger: trigger.and_then(Label::new).map(Trigger::Label),
        interfaces: vec!["eth1".to_owned()],
        place: Place { offset, format: TimestampFormat::Ptp, ptp_utc_offset: PtpUtcOffset::UTC },
        ports: Vec::new(),
        rate_limit: None,
    }
}

fn labels(taken: Result<Vec<Trigger>, Failure>) -> Vec<u32> {
    let label = |trigger| match trigger {
        Trigger::Label(label) => label.value(),
        other => panic!("{other:?}"),
    };
    taken.unwrap().into_iter().map(label).collect()
}

#[test]
fn a_label_stays_with_its_purpose_over_restarts() {
    let folder = Folder::new("own-labels-stay");
    let own = folder.own(15_000..=15_009);
    let both = vec![entry(16, None), entry(32, None)];
    let mut forwarding = Forwarding { timestamps: both, own, ..Forwarding::default() };
    assert_eq!(known(&forwarding).unwrap(), [None, None]);
    assert_eq!(labels(take(&forwarding)), [15_000, 15_001]);
    // Another order, one left out, another new.
    forwarding.timestamps = vec![entry(40, None), entry(32, None)];
    assert_eq!(labels(take(&forwarding)), [15_002, 15_001]);
    forwarding.timestamps = vec![entry(16, None)];
    assert_eq!(labels(take(&forwarding)), [15_000]);
}

#[test]
fn a_label_that_was_given_to_somebody_else_is_not_taken() {
    let folder = Folder::new("own-labels-given");
    let own = folder.own(15_000..=15_001);
    let timestamps = vec![entry(16, None), entry(32, Some(15_000))];
    let mut forwarding = Forwarding { timestamps, own, ..Forwarding::default() };
    assert_eq!(labels(take(&forwarding)), [15_001, 15_000]);
    forwarding.timestamps.push(entry(40, None));
    let refused = take(&forwarding).unwrap_err();
    assert!(matches!(refused, Failure::LabelRange { first: 15_000, last: 15_001 }), "{refused}");
}

#[test]
fn a_file_that_holds_something_else_is_left_alone() {
    let folder = Folder::new("own-labels-else");
    let own = folder.own(15_000..=15_009);
    fs::write(folder.0.join("labels"), "# about\n15000 16 ptp eth1\nnonsense\n").unwrap();
    let forwarding = Forwarding { timestamps: vec![entry(32, None)], own, ..Forwarding::default() };
    assert!(
        take(&forwarding).unwrap_err().to_string().ends_with("line 3 is no label and its purpose")
    );
}
