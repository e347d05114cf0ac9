//! Which of the sessions of a file this sender takes, where several share them.

use std::fmt;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use stamp_config::Setting;

/// Senders that may share a file.
const MOST: u32 = 1_024;

/// One of several senders that read the same file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    /// Which of them, from 0 as an orchestrator counts.
    pub number: u32,
    /// How many there are.
    pub count: u32,
}

impl Setting for Shard {
    const EXPECTED: &'static str =
        "NUMBER/COUNT with a number from 0 and fewer than 1025 in all, such as 2/8";
    fn read(text: &str) -> Option<Self> {
        let (number, count) = text.split_once('/')?;
        let (number, count) = (number.parse().ok()?, count.parse().ok()?);
        (number < count && count <= MOST).then_some(Self { number, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl Shard {
    /// Whether it takes what has this key.
    ///
    /// Each shard draws a number for the key and the largest wins (rendezvous hashing), so that one
    /// more shard takes its part of all others and nothing else moves.
    pub fn takes(self, key: &str) -> bool {
        let winner = (0..self.count).max_by_key(|number| (draw(key, *number), *number));
        winner == Some(self.number)
    }
}

/// The same in every process and version: shards have to agree without a word.
fn draw(key: &str, number: u32) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x5374_616d_7053_6872, number.into());
    hasher.write(key.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(key: &str, count: u32) -> u32 {
        let owners: Vec<u32> =
            (0..count).filter(|number| Shard { number: *number, count }.takes(key)).collect();
        assert_eq!(owners.len(), 1, "{key} of {count}: {owners:?}");
        owners[0]
    }

    #[test]
    fn one_more_shard_takes_its_part_and_nothing_else_moves() {
        const KEYS: u32 = 4_000;
        for count in [1, 2, 3, 4, 7, 8, 16, 31] {
            let (mut moved, mut largest) = (0, vec![0_u32; count as usize + 1]);
            for key in (0..KEYS).map(|key| format!("session-{key}")) {
                let (before, after) = (owner(&key, count), owner(&key, count + 1));
                assert!(after == before || after == count, "{key} went from {before} to {after}");
                moved += u32::from(after == count);
                largest[after as usize] += 1;
            }
            let part = f64::from(KEYS) / f64::from(count + 1);
            // Within six standard deviations of a fair draw.
            let slack = 6.0 * part.sqrt();
            assert!((f64::from(moved) - part).abs() < slack, "{moved} moved of {part}");
            let fair = |taken: &u32| (f64::from(*taken) - part).abs() < slack;
            assert!(largest.iter().all(fair), "{largest:?} of {part}");
        }
    }

    #[test]
    fn who_takes_what_never_changes() {
        let owners: Vec<u32> =
            ["ams-lon", "a", "b", "c", "", "é"].map(|key| owner(key, 8)).to_vec();
        assert_eq!(owners, OWNERS);
    }

    /// As every version has to have it.
    const OWNERS: [u32; 6] = [2, 2, 6, 1, 6, 3];

    #[test]
    fn a_shard_is_one_of_so_many() {
        assert_eq!(Shard::read("2/8"), Some(Shard { number: 2, count: 8 }));
        assert_eq!(Shard::read("0/1").map(|shard| shard.to_string()).as_deref(), Some("0/1"));
        for text in ["", "2", "8/8", "-1/8", "0/0", "0/1025", "1/x"] {
            assert_eq!(Shard::read(text), None, "{text}");
        }
    }
}
