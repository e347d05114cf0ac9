//! Lines of a configuration and what stands below them.

use std::fmt::Write as _;

/// A line, and the lines of the block that it opens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Block {
    pub(super) line: String,
    pub(super) within: Vec<Self>,
}

impl Block {
    /// A line that opens nothing.
    pub(super) fn line(line: impl Into<String>) -> Self {
        Self { line: line.into(), within: Vec::new() }
    }

    /// A line and what stands below it.
    pub(super) fn of(line: impl Into<String>, within: Vec<Self>) -> Self {
        Self { line: line.into(), within }
    }

    fn opens(&self) -> bool {
        OPENING.iter().any(|word| self.line.starts_with(word)) || self.line == "traffic-eng"
    }

    /// What the line sets: another of the same takes its place.
    fn key(&self) -> String {
        // FRR leaves an entry as it is, without a word, where the new one is what another entry still is.
        let is_entry = self.line.starts_with("ip ") || self.line.starts_with("ipv6 ");
        if is_entry { self.line.clone() } else { self.name() }
    }

    /// The words by which it is taken away.
    fn name(&self) -> String {
        let words: Vec<&str> = self.line.split(' ').collect();
        let count = match words.as_slice() {
            ["delay" | "delay-variation" | "packet-loss" | "name", ..] => 1,
            ["index", ..] => 2,
            ["candidate-path", ..] => 3,
            ["ip" | "ipv6", "prefix-list", ..] => 5,
            _ => words.len(),
        };
        words.into_iter().take(count).collect::<Vec<_>>().join(" ")
    }

    /// Whether it is taken away before new lines come, or after them.
    fn turn(&self) -> Turn {
        let may_carry = ["policy ", "candidate-path ", "segment-list "];
        match may_carry.iter().any(|word| self.line.starts_with(word)) {
            true => Turn::After,
            false => Turn::Before,
        }
    }

    /// How it is taken away, if it is that one's turn.
    fn removed(&self, turn: Turn) -> Option<Self> {
        // An interface and the places where policies stand are not ours.
        match ["interface ", "link-params", "segment-routing", "traffic-eng"]
            .iter()
            .any(|word| self.line.starts_with(word))
        {
            true => {
                let within = self.within.iter().rev();
                let within: Vec<_> = within.filter_map(|block| block.removed(turn)).collect();
                (!within.is_empty()).then(|| Self::of(self.line.clone(), within))
            }
            false => (self.turn() == turn).then(|| Self::line(format!("no {}", self.name()))),
        }
    }
}

/// When something is taken away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// What would be in the way of new lines.
    Before,
    /// What carries traffic until they are there.
    After,
}

const OPENING: [&str; 6] =
    ["interface ", "link-params", "segment-routing", "segment-list ", "policy ", "route-map "];

/// As a file.
pub(super) fn text(blocks: &[Block]) -> String {
    let mut text = String::new();
    write(&mut text, blocks, 0);
    text
}

fn write(text: &mut String, blocks: &[Block], depth: usize) {
    for block in blocks {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:depth$}{}", "", block.line);
        if block.opens() {
            write(text, &block.within, depth + 1);
            let end = if block.line == "link-params" { "exit-link-params" } else { "exit" };
            let _ = writeln!(text, "{:depth$}{end}", "");
        }
    }
}

/// From a file that was written here.
pub(super) fn read(text: &str) -> Vec<Block> {
    let mut lines = text.lines().filter(|line| !line.starts_with('!')).peekable();
    below(&mut lines, 0)
}

fn below<'t>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = &'t str>>,
    depth: usize,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    while let Some(line) = lines.next_if(|line| indent(line) == depth) {
        let line = line.trim();
        if line != "exit" && line != "exit-link-params" {
            blocks.push(Block::of(line, below(lines, depth + 1)));
        }
    }
    blocks
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// What leads from `known` to `wanted`.
pub(super) fn changes(known: &[Block], wanted: &[Block]) -> String {
    let removed = |turn| text(&removals(known, wanted, turn));
    removed(Turn::Before) + &text(wanted) + &removed(Turn::After)
}

/// What takes away whatever is in `known` and not in `wanted`. Whatever refers to something goes before
/// it.
fn removals(known: &[Block], wanted: &[Block], turn: Turn) -> Vec<Block> {
    let mut removals = Vec::new();
    for block in known.iter().rev() {
        let same = wanted.iter().find(|it| it.key() == block.key());
        removals.extend(match same {
            None => block.removed(turn),
            Some(same) => {
                let within = self::removals(&block.within, &same.within, turn);
                (!within.is_empty()).then(|| Block::of(block.line.clone(), within))
            }
        });
    }
    removals
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "\
interface eth0
 link-params
  delay 2000 min 1900 max 2500
  packet-loss 0.000300
 exit-link-params
exit
segment-routing
 traffic-eng
  segment-list a
   index 10 mpls label 16005
   index 20 mpls label 16011
  exit
  segment-list b
   index 10 mpls label 16011
  exit
  policy color 100 endpoint 192.0.2.11
   name gaming
   candidate-path preference 200 name fast explicit segment-list a
   candidate-path preference 100 name slow explicit segment-list b
  exit
 exit
exit
ip prefix-list gaming seq 5 permit 198.51.100.0/24 le 32
ip prefix-list gaming seq 10 permit 198.51.101.0/24 le 32
route-map stamp permit 10
 match ip address prefix-list gaming
 set sr-te color 100
exit
";

    #[test]
    fn a_file_is_read_as_it_was_written() {
        assert_eq!(text(&read(KNOWN)), KNOWN);
        assert_eq!(changes(&read(KNOWN), &read(KNOWN)), KNOWN);
    }

    #[test]
    fn what_is_no_longer_wanted_goes_the_users_of_a_thing_before_it() {
        let expected = "\
no route-map stamp permit 10
no ip prefix-list gaming seq 10
no ip prefix-list gaming seq 5
interface eth0
 link-params
  no packet-loss
  no delay
 exit-link-params
exit
segment-routing
 traffic-eng
  no policy color 100 endpoint 192.0.2.11
  no segment-list b
  no segment-list a
 exit
exit
";
        assert_eq!(changes(&read(KNOWN), &[]), expected);
    }

    #[test]
    fn what_takes_the_place_of_another_needs_no_removal() {
        let wanted = KNOWN
            .replace("delay 2000 min 1900 max 2500", "delay 3000 min 2900 max 3500")
            .replace(
                "preference 200 name fast explicit segment-list a",
                "preference 200 name slow explicit segment-list b",
            )
            .replace("   index 20 mpls label 16011\n", "");
        let removed = "segment-routing\n traffic-eng\n  segment-list a\n   no index 20\n  exit\n exit\nexit\n";
        assert_eq!(changes(&read(KNOWN), &read(&wanted)), format!("{removed}{wanted}"));
    }

    #[test]
    fn what_carries_traffic_stays_until_there_is_something_else() {
        let gone = "   candidate-path preference 200 name fast explicit segment-list a\n";
        let (list, _) = KNOWN.split_once("  segment-list b").unwrap();
        let (_, list) = list.split_once("  segment-list a").unwrap();
        let wanted = KNOWN.replace(gone, "").replace(&format!("  segment-list a{list}"), "");
        let expected = "\
segment-routing
 traffic-eng
  policy color 100 endpoint 192.0.2.11
   no candidate-path preference 200
  exit
  no segment-list a
 exit
exit
";
        assert_eq!(changes(&read(KNOWN), &read(&wanted)), format!("{wanted}{expected}"));
    }

    #[test]
    fn entries_that_change_their_places_are_taken_away_before() {
        let (one, other) = ("198.51.100.0/24", "198.51.101.0/24");
        let wanted = KNOWN.replace(one, "ONE").replace(other, one).replace("ONE", other);
        let removed = "no ip prefix-list gaming seq 10\nno ip prefix-list gaming seq 5\n";
        assert_eq!(changes(&read(KNOWN), &read(&wanted)), format!("{removed}{wanted}"));
    }
}
