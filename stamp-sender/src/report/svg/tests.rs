use super::*;
use crate::happening::Ended;
use crate::output::rehearsal::{Fate, Plot, play};
use crate::output::{golden, written};
use crate::report::read;

fn picture(plots: &[Plot]) -> String {
    let runs: Vec<_> = plots.iter().map(play).collect();
    draw(&read::read(&written::json(&runs, Ended::Complete)).unwrap())
}

fn lossy(name: &'static str) -> Plot {
    Plot {
        name,
        fate: |probe| match probe {
            4 => Fate::LostForward,
            _ => Fate::Passes(58_000 + probe * 700, 61_000),
        },
        ..Plot::default()
    }
}

/// Every tag is closed, in the right order.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_small_run() {
    let svg = picture(&[lossy("r1")]);
    assert_well_formed(&svg);
    golden::check("picture.svg", &svg);
}

#[test]
fn there_is_a_panel_for_each_session() {
    let svg = picture(&[lossy("r1"), Plot { name: "r2", ..Plot::default() }]);
    assert_well_formed(&svg);
    assert_eq!(svg.matches("class=\"frame\"").count(), 2);
    assert_eq!(svg.matches("class=\"legend\"").count(), 3 + 1 + 3);
    // The swatch of the legend and the bar in the lane.
    assert_eq!(svg.matches("class=\"lost\"").count(), 2);
}

#[test]
fn a_curve_is_broken_where_a_probe_was_lost() {
    let svg = picture(&[lossy("r1")]);
    assert_eq!(svg.matches("class=\"line forward\" points").count(), 2);
    let svg = picture(&[Plot::default()]);
    assert_eq!(svg.matches("class=\"line forward\" points").count(), 1);
}

#[test]
fn names_cannot_break_the_picture() {
    let svg = picture(&[lossy("<script>\"&")]);
    assert_well_formed(&svg);
    assert!(svg.contains("&lt;script&gt;&quot;&amp;"), "{svg}");
}

#[test]
fn nothing_answered_is_a_picture_too() {
    let svg = picture(&[Plot { fate: |_| Fate::LostForward, ..Plot::default() }]);
    assert_well_formed(&svg);
    assert!(svg.contains("nothing was answered"));
}

#[test]
fn no_coordinate_is_infinite_or_missing() {
    let far = Plot { far_offset_ns: -37_000_000_000, synchronized: false, ..Plot::default() };
    let one = Plot { count: 1, ..Plot::default() };
    let outlier = Plot {
        fate: |probe| Fate::Passes(if probe == 3 { 140_000_000 } else { 58_000 }, 61_000),
        ..Plot::default()
    };
    for plot in [far, one, outlier] {
        let svg = picture(&[plot]);
        assert_well_formed(&svg);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
