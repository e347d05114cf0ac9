//! What workers and far ends say, and whom it concerns.

use std::time::Instant;

use stamp_session::sender::SenderEvent;

use super::config::Reflector;
use super::far_end::{Told, Verdict, Word};
use super::observer::{Notice, Place};
use super::{Daemon, events};
use crate::paths::{self, Known, LinkNews};

impl Daemon {
    pub(super) fn take(&mut self, place: Place, notice: Notice) {
        // What comes late for a session that has gone is nobody's.
        let Some((member, info)) = self.fleet.at(place) else { return };
        match notice {
            Notice::Event { event, tally, time } => {
                // Whoever is told looks at once: it has to be there.
                self.fleet.event(place, &event);
                let policy = member.spec.policy.as_ref().map(|it| it.policy.as_str());
                let SenderEvent::State(change) = event else {
                    return self.events.session((&info.name, policy), &event, &tally, time);
                };
                let verdict = self.far_ends.state((place, info), change.to, &tally);
                self.fleet.broken(place, self.far_ends.broken(place));
                self.events.session((&info.name, policy), &event, &tally, time);
                if let Some((session, branch)) = self.fleet.branch(place) {
                    self.chooser.state(session, branch, change.to);
                }
                if let Some(verdict) = verdict {
                    self.tell_broken(place, &verdict);
                }
            }
            Notice::Trouble(trouble) => {
                let wants_a_look = events::trouble(&info.name, trouble);
                if wants_a_look {
                    self.fleet.reconsider(place, Instant::now());
                }
            }
            Notice::Window { measured, end } => {
                let (name, interval) = (info.name.clone(), info.schedule.mean_interval());
                if let Some(branch) = self.fleet.branch(place) {
                    let window = paths::window(&measured, (member.spec.window, end), interval);
                    let known = Known { state: measured.state, window: Some(window) };
                    self.chooser.window(branch, known);
                }
                for advertisement in self.fleet.window(place, measured, end) {
                    self.events.announcement(&name, &advertisement);
                    if let Some(news) = LinkNews::of(&advertisement) {
                        self.chooser.announced(&name, news);
                    }
                }
            }
        }
    }

    /// A Session-Reflector tells something of probes of ours.
    pub(super) fn hear(&mut self, reflector: &Reflector, word: Word) {
        let url = reflector.url.text();
        match word {
            Word::Heard => {
                tracing::info!(url, "the reflector is heard: it tells what arrives of our probes");
                self.fleet.hearing(&reflector.addresses, true);
            }
            Word::Unheard(reason) => {
                tracing::warn!(url, reason, "the reflector is not heard; tried again");
                self.fleet.hearing(&reflector.addresses, false);
            }
            // What was under way is not known now.
            Word::Told(Told::Gap) => {
                self.fleet.hearing(&reflector.addresses, false);
                self.fleet.hearing(&reflector.addresses, true);
            }
            Word::Told(Told::Arrivals { of, arrivals }) => {
                if let Some(place) = self.fleet.known_as(&of, &reflector.addresses) {
                    self.fleet.arrived(place, &arrivals);
                }
            }
            Word::Seen(seen) => {
                for (of, idle) in seen {
                    let place = self.fleet.known_as(&of, &reflector.addresses);
                    let Some(place) = place else { continue };
                    let verdict = self.far_ends.seen(place, idle);
                    self.judged(place, verdict.as_ref());
                }
            }
            Word::Told(Told::State { of, is_down, missed }) => {
                let Some(place) = self.fleet.known_as(&of, &reflector.addresses) else { return };
                let verdict = self.far_ends.missed(place, is_down, missed);
                self.judged(place, verdict.as_ref());
            }
        }
    }

    /// A far end has said something of a session, which may be news.
    fn judged(&mut self, place: Place, verdict: Option<&Verdict>) {
        self.fleet.broken(place, self.far_ends.broken(place));
        if let Some(verdict) = verdict {
            self.tell_broken(place, verdict);
        }
    }

    /// Which way of a session that is down is broken.
    fn tell_broken(&mut self, place: Place, verdict: &Verdict) {
        let Some((member, info)) = self.fleet.at(place) else { return };
        let policy = member.spec.policy.as_ref().map(|it| it.policy.as_str());
        self.events.broken((&info.name, policy), verdict);
    }
}
