//! The page of policies, and the picture on it.

use super::*;
use crate::policies::Policies;

impl Scene {
    /// What lies at a path, as text.
    fn page(&self, path: &str) -> Option<String> {
        let mut policies = Policies::default();
        policies.choose(self.chooser.shown(self.now));
        let page = page(path, &policies.all(), &self.chooser.drawing())?;
        let octets: Vec<u8> = page.pieces.flatten().collect();
        Some(String::from_utf8(octets).unwrap())
    }
}

/// Links with a way of this class on them; the legend has another line of it.
fn ways(picture: &str, class: &str) -> usize {
    picture.matches(&format!("class=\"{class}\"")).count()
}

#[test]
fn the_picture_has_what_carries_and_follows_it() {
    let mut scene = Scene::new(EXAMPLE);
    scene.windows(1, &[(PAST_C, 2), (PAST_B, 3)]);
    let before = scene.page("/paths.svg").unwrap();
    assert!(before.contains("gaming-to-r: past-c"), "{before}");
    assert!(before.contains("bulk-to-r: cheapest"), "{before}");
    assert_eq!(ways(&before, "way idle"), 0, "what carries nothing is left out");
    assert!(ways(&before, "way") > 4, "two links each and two lines of the legend: {before}");
    scene.windows(60, &[(PAST_C, 2), (PAST_B, 3)]);
    scene.windows(1, &[(PAST_C, 25), (PAST_B, 3)]);
    let after = scene.page("/paths.svg").unwrap();
    assert!(after.contains("gaming-to-r: past-b") && !after.contains("past-c"), "{after}");
}

#[test]
fn a_policy_has_a_picture_of_all_its_candidates() {
    let mut scene = Scene::new(EXAMPLE);
    scene.windows(1, &[(PAST_C, 2), (PAST_B, 3)]);
    let picture = scene.page("/paths/gaming-to-r.svg").unwrap();
    assert!(picture.contains("past-c, carries the traffic") && picture.contains(">past-b<"));
    assert_eq!((ways(&picture, "way"), ways(&picture, "way idle")), (3, 3), "{picture}");
    let html = scene.page("/paths/gaming%2Dto%2Dr").unwrap();
    assert!(html.contains("<img src=\"/paths/gaming%2Dto%2Dr.svg\""), "{html}");
    assert!(!html.contains("bulk-to-r"), "{html}");
    assert!(scene.page("/paths/none").is_none() && scene.page("/pathsgaming-to-r").is_none());
}

#[test]
fn the_page_says_what_carries_and_why_the_worst_first() {
    let mut scene = Scene::new(EXAMPLE);
    scene.windows(1, &[(PAST_C, 25), (PAST_B, 3)]);
    let html = scene.page("/paths").unwrap();
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text} in {html}"));
    assert!(html.contains("2 policies, 0 without a path, 1 short of"), "{html}");
    // Nothing was measured of what bulk takes, so that it is only provisional.
    assert!(place("data-name=\"bulk-to-r\"") < place("data-name=\"gaming-to-r\""));
    assert!(html.contains("<td>✓ good<td>past-b<td>"), "{html}");
    place("✕ past-c <small>(200) forward-p99 is 25ms, at most 20ms is allowed");
    assert!(html.contains("<figure data-drawn=\""), "{html}");
    let again = scene.page("/paths").unwrap();
    assert_eq!(html, again, "what has not changed is the same, so that it is not loaded again");
}

#[test]
fn where_there_is_no_policy_there_is_nothing_to_draw() {
    let html = page("/paths", &[], &Drawing::default()).unwrap();
    let octets: Vec<u8> = html.pieces.flatten().collect();
    let html = String::from_utf8(octets).unwrap();
    assert!(html.contains("0 policies") && !html.contains("<img"), "{html}");
}
