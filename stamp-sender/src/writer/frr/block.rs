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

    /// What the line sets: another with the same words in front takes its place.
    fn key(&self) -> String {
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

    /// How it is taken away.
    fn removed(&self) -> Option<Self> {
        // An interface and the places where policies stand are not ours.
        match ["interface ", "link-params", "segment-routing", "traffic-eng"]
            .iter()
            .any(|word| self.line.starts_with(word))
        {
            true => {
                let within: Vec<_> = self.within.iter().rev().filter_map(Self::removed).collect();
                (!within.is_empty()).then(|| Self::of(self.line.clone(), within))
            }
            false => Some(Self::line(format!("no {}", self.key()))),
        }
    }
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

/// What takes away whatever is in `known` and not in `wanted`. Whatever refers to something goes before
/// it.
pub(super) fn removals(known: &[Block], wanted: &[Block]) -> Vec<Block> {
    let mut removals = Vec::new();
    for block in known.iter().rev() {
        let same = wanted.iter().find(|it| it.key() == block.key());
        removals.extend(match same {
            None => block.removed(),
            Some(same) => {
                let within = self::removals(&block.within, &same.within);
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
        assert_eq!(removals(&read(KNOWN), &read(KNOWN)), []);
    }

    #[test]
    fn what_is_no_longer_wanted_goes_the_users_of_a_thing_before_it() {
        let expected = "\
no route-map stamp permit 10
no ip prefix-list gaming seq 10
no ip prefix-list gaming seq 5
segment-routing
 traffic-eng
  no policy color 100 endpoint 192.0.2.11
  no segment-list b
  no segment-list a
 exit
exit
interface eth0
 link-params
  no packet-loss
  no delay
 exit-link-params
exit
";
        assert_eq!(text(&removals(&read(KNOWN), &[])), expected);
    }

    #[test]
    fn what_takes_the_place_of_another_needs_no_removal() {
        let wanted = KNOWN
            .replace("delay 2000 min 1900 max 2500", "delay 3000 min 2900 max 3500")
            .replace(
                "preference 200 name fast explicit segment-list a",
                "preference 200 name slow explicit segment-list b",
            )
            .replace("   index 20 mpls label 16011\n", "")
            .replace("198.51.100.0", "203.0.113.0");
        let removed = text(&removals(&read(KNOWN), &read(&wanted)));
        let expected = "segment-routing\n traffic-eng\n  segment-list a\n   no index 20\n  exit\n exit\nexit\n";
        assert_eq!(removed, expected);
    }
}
