//! How what was prepared comes into force: all of it, or everything stays as it was.

use stamp_service::manager;
use stamp_service::sandbox;

use super::Daemon;
use super::config::Refused;
use super::fleet::Changed;
use super::preparation::Prepared;
use super::wish::{Answers, Cause};
use crate::exit::Failure;

const HOOK_NEEDS_A_RESTART: &str = "the first [[hook]] takes a restart: the sandbox lets no command run \
                                    where none was configured at the start";

impl Daemon {
    /// All of what was prepared is put in force, or everything stays as it was.
    pub(super) fn prepared(
        &mut self,
        result: Result<Prepared, Failure>,
        answers: Answers,
        cause: Cause,
    ) -> Result<(), Failure> {
        let result = result.and_then(|prepared| self.put_in_force(prepared, cause));
        match (cause, result) {
            (Cause::Start, result) => {
                result?;
                self.board.reloaded(true);
                self.sandbox.close()?;
                self.sandbox.tell();
                self.board.sandboxed(self.sandbox.in_force());
                manager::ready();
            }
            (Cause::Reload, result) => {
                self.board.reloaded(result.is_ok());
                let outcome = result.map_err(|failure| self.refused(&failure));
                manager::ready();
                answers.tell(&outcome);
            }
            (Cause::Computation, result) => {
                let outcome = result.map_err(|failure| {
                    tracing::error!(%failure, "other paths are not in force");
                    failure.to_string()
                });
                answers.tell(&outcome);
            }
            (Cause::Discovery, Ok(())) => {}
            (Cause::Discovery, Err(failure)) => {
                tracing::error!(%failure, "what was discovered is not in force");
            }
        }
        Ok(())
    }

    /// Says so, loudly.
    fn refused(&mut self, failure: &Failure) -> String {
        let reason = failure.to_string();
        for line in reason.lines() {
            tracing::error!("{line}");
        }
        if let Some(hint) = sandbox::hint(&reason) {
            tracing::error!("{hint}");
        }
        tracing::error!(
            file = %self.file.display(),
            "the new configuration is refused; the one before stays in force"
        );
        self.events.configuration(Some(&reason));
        reason
    }

    fn put_in_force(&mut self, prepared: Prepared, cause: Cause) -> Result<(), Failure> {
        let Prepared { configuration, plan, found, refused, change, opened, late } = prepared;
        let (new, old) = (&configuration.service, &self.running.service);
        if !new.notify.hooks.is_empty() && !self.sandbox.lets_commands_run() {
            return Err(Failure::Input(HOOK_NEEDS_A_RESTART.to_owned()));
        }
        let file = (new.events_file != old.events_file)
            .then(|| self.events.prepare_file(new.events_file.as_deref()))
            .transpose()?;
        self.events.prepare_to_notify(&new.notify)?;
        self.fleet.switch_histograms(&configuration, change.summary().sessions());
        let changed = self.fleet.put_in_force(change, opened, late);
        match file {
            Some(file) => self.events.change_file(file),
            // Whoever has renamed the file wants a new one.
            None if cause == Cause::Reload => self.events.reopen(),
            None => {}
        }
        self.events.notify(&configuration.service.notify);
        self.events.expect(changed.sessions());
        self.tell_plan(&plan, cause);
        self.chooser.put_in_force(plan);
        self.board.serves(&configuration);
        self.board.group();
        self.log.set_level(configuration.service.log_level);
        for gone in self.far_ends.listen_to(&configuration.reflectors) {
            self.fleet.hearing(&gone.addresses, false);
        }
        self.far_ends.retain(|place| self.fleet.at(place).is_some());
        let news = self.discoverer.watch(&configuration.discoveries, &found, &refused);
        self.board.discovered(self.discoverer.states());
        for Refused { provider, target, reason } in news {
            let source = provider.label();
            tracing::warn!(source, target, reason, "a discovered target is no session");
        }
        self.running = configuration;
        self.tell_change(&changed, cause);
        Ok(())
    }

    fn tell_change(&mut self, changed: &Changed, cause: Cause) {
        let Changed { added, changed, tuned, removed, kept } = *changed;
        match cause {
            Cause::Start => tracing::info!(
                file = %self.file.display(),
                shard = self.shard.map(tracing::field::display),
                sessions = added,
                "stamp-sender {} runs",
                env!("CARGO_PKG_VERSION")
            ),
            Cause::Reload => {
                tracing::info!(added, changed, tuned, removed, kept, "configuration reloaded");
                self.events.configuration(None);
            }
            Cause::Discovery => tracing::info!(
                added,
                changed,
                tuned,
                removed,
                kept,
                "other targets were discovered"
            ),
            Cause::Computation => {
                tracing::info!(added, changed, tuned, removed, kept, "paths were computed anew");
            }
        }
    }
}
