//! Who wants another configuration in force, and which.

use std::collections::VecDeque;
use std::sync::mpsc;

use super::config::Configuration;
use crate::paths::Drain;

/// What is to be put in force.
#[derive(Debug)]
pub(super) enum Wanted {
    /// The file as it was read at the start.
    First(Box<Configuration>),
    /// The file as it is now.
    File,
    /// A document that somebody sent.
    Pushed(String),
    /// The file as it was read, with what has been discovered since.
    Found,
    /// The same, with what has been measured since.
    Computed,
    /// The same where this is drained, or no longer.
    Drained(Drain, bool),
}

/// Why a configuration is put in force.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Cause {
    /// There was none before.
    Start,
    /// Somebody wants another one.
    #[default]
    Reload,
    /// Other targets were discovered.
    Discovery,
    /// Other values of links, or what is drained, make other paths.
    Computation,
}

impl Wanted {
    /// Why it is wanted.
    pub(super) const fn cause(&self) -> Cause {
        match self {
            Self::First(_) => Cause::Start,
            Self::File | Self::Pushed(_) => Cause::Reload,
            Self::Found => Cause::Discovery,
            Self::Computed | Self::Drained(..) => Cause::Computation,
        }
    }
}

/// A wish for another configuration.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) wanted: Wanted,
    answer: Option<Answer>,
}

/// Where to say what became of a wish.
type Answer = mpsc::Sender<Result<(), String>>;

impl Wish {
    /// One that nobody waits for.
    pub(super) const fn new(wanted: Wanted) -> Self {
        Self { wanted, answer: None }
    }

    /// One whose outcome somebody waits for.
    pub(super) const fn answered(wanted: Wanted, answer: Answer) -> Self {
        Self { wanted, answer: Some(answer) }
    }

    /// Another reading of the file serves whoever wants one by then.
    fn is_served_by(&self, wanted: &Wanted) -> bool {
        matches!(
            (&self.wanted, wanted),
            (Wanted::File, Wanted::File)
                | (Wanted::Found, Wanted::Found | Wanted::File)
                // Whatever is prepared takes in what has been measured until then.
                | (Wanted::Computed, _)
        )
    }
}

/// Wishes whose turn has not come.
#[derive(Debug, Default)]
pub(super) struct Wishes(VecDeque<Wish>);

impl Wishes {
    pub(super) fn push(&mut self, wish: Wish) {
        self.0.push_back(wish);
    }

    /// What is to be done next, and whom to tell what became of it.
    pub(super) fn next(&mut self) -> Option<(Wanted, Answers)> {
        let Wish { wanted, answer } = self.0.pop_front()?;
        let mut answers: Vec<Answer> = answer.into_iter().collect();
        while self.0.front().is_some_and(|next| next.is_served_by(&wanted)) {
            answers.extend(self.0.pop_front().and_then(|wish| wish.answer));
        }
        Some((wanted, Answers(answers)))
    }
}

/// Whoever waits for an outcome.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<Answer>);

impl Answers {
    pub(super) fn tell(self, outcome: &Result<(), String>) {
        for answer in self.0 {
            // Whoever asked may have gone.
            let _ = answer.send(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_of_the_file_serves_all_who_wait_for_it() {
        let (first, second) = (mpsc::channel(), mpsc::channel());
        let mut wishes = Wishes::default();
        wishes.push(Wish::new(Wanted::First(Box::default())));
        wishes.push(Wish::answered(Wanted::File, first.0));
        wishes.push(Wish::new(Wanted::File));
        wishes.push(Wish::answered(Wanted::File, second.0));
        assert!(
            matches!(wishes.next(), Some((Wanted::First(_), Answers(none))) if none.is_empty())
        );
        let (wanted, answers) = wishes.next().unwrap();
        assert!(matches!(wanted, Wanted::File) && wishes.next().is_none());
        answers.tell(&Err("no".to_owned()));
        for asked in [first.1, second.1] {
            assert_eq!(asked.try_recv(), Ok(Err("no".to_owned())));
        }
    }
}
