//! SIGHUP: the new configuration as a whole, or the old one as a whole.

use std::net::SocketAddr;

use stamp_service::inherited::{self, Inherited};
use stamp_session::reflector::ReflectorConfig;
use stamp_worker::traffic::TrafficWatch;

use super::{Listening, Service, engine_config, local_addresses, one_per_core};
use crate::config::Config;
use crate::descriptors;
use crate::failure::Failure;
use crate::hardware;
use crate::lag;
use crate::listen::{self, Bound, Endpoint};

impl Service {
    /// Reads file and keys again and goes on with what they say; sessions and counters of what
    /// stays are kept.
    ///
    /// # Errors
    ///
    /// Whatever is wrong; then nothing has changed.
    pub(crate) fn reload(&mut self) -> Result<(), Failure> {
        let config = self.source.load()?;
        self.go_on_with(config)
    }

    /// The same with a document that somebody sent, until the next reload or restart.
    ///
    /// # Errors
    ///
    /// Whatever is wrong; then nothing has changed.
    pub(crate) fn push(&mut self, document: &str) -> Result<(), Failure> {
        let config = self.source.pushed(document)?;
        self.go_on_with(config)
    }

    fn go_on_with(&mut self, config: Config) -> Result<(), Failure> {
        self.refuse_what_needs_a_restart(&config)?;
        let wanted = listen::endpoints(&config);
        let (kept, gone): (Vec<&Listening>, Vec<&Listening>) =
            self.listeners.iter().partition(|one| wanted.contains(&one.endpoint));
        let known =
            |endpoint: &Endpoint| self.listeners.iter().any(|one| one.endpoint == *endpoint);
        let new: Vec<_> = wanted.iter().filter(|endpoint| !known(endpoint)).cloned().collect();
        let workers = self.pool.workers();
        descriptors::ensure(self.listeners.len() + new.len(), workers)?;
        let bound = listen::bind(&new, workers, config.hardware_stamps, &mut Inherited::default())?;
        if kept.is_empty() && bound.is_empty() {
            let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
            return Err(Failure::NoFamily { listeners: names.join(" and ") });
        }
        let gone: Vec<_> = gone.iter().map(|one| (one.id, one.endpoint.clone())).collect();
        let locals = kept.iter().map(|one| one.local).chain(bound.iter().map(|one| one.local));
        let locals: Vec<SocketAddr> = locals.collect();

        let addresses = local_addresses();
        let members = lag::member_links(&config.lag_members)?;
        let engine = ReflectorConfig {
            member_links: members.clone(),
            ..engine_config(&config, self.seed, self.pool.workers(), &locals, &addresses)
        };
        let traffic = self.traffic(&config)?;
        self.node.reload(&config)?;
        if let Err(refusal) = self.pool.reconfigure(&engine) {
            // As it was before, which was fine then.
            self.node.reload(&self.config)?;
            return Err(refusal.into());
        }
        if let Some(traffic) = traffic {
            self.pool.set_traffic(traffic.as_ref());
        }
        self.addresses = addresses;
        self.members = members;
        self.limiter.set_total(config.total_rate_limit);
        self.log.set_level(config.log_level.filter());
        self.config = config;
        self.replace_listeners(bound, &gone)
    }

    /// Counters of another source, if it is another one.
    fn traffic(&self, config: &Config) -> Result<Option<Option<TrafficWatch>>, Failure> {
        let changed = config.traffic != self.config.traffic;
        let start = || config.traffic.as_ref().map(TrafficWatch::start).transpose();
        Ok(changed.then(start).transpose()?)
    }

    fn replace_listeners(
        &mut self,
        bound: Vec<Bound>,
        gone: &[(stamp_worker::reflector::ListenerId, Endpoint)],
    ) -> Result<(), Failure> {
        self.note_configuration();
        self.note_clock();
        let endpoints = bound.iter().map(|bound| &bound.endpoint);
        listen::note_missing_families(endpoints.clone(), &self.addresses);
        if self.config.hardware_stamps && !bound.is_empty() {
            hardware::prepare(&listen::interfaces(endpoints));
        }
        let added = bound.len();
        self.add(bound)?;
        for (id, _) in gone {
            self.pool.remove_listener(*id);
        }
        for (_, endpoint) in gone {
            inherited::forget(&endpoint.kept_as());
            tracing::info!("no longer listening on {endpoint}");
        }
        self.listeners.retain(|one| !gone.iter().any(|(id, _)| *id == one.id));
        tracing::info!(
            listeners = self.listeners.len(),
            added,
            removed = gone.len(),
            "configuration reloaded"
        );
        Ok(())
    }

    fn refuse_what_needs_a_restart(&self, config: &Config) -> Result<(), Failure> {
        let workers = config.workers.unwrap_or_else(one_per_core);
        let key = if workers != self.pool.workers() {
            "workers"
        } else if config.hardware_stamps != self.config.hardware_stamps {
            "hardware-stamps"
        } else if config.sandbox != self.config.sandbox {
            "sandbox"
        } else if config.one_way_export != self.config.one_way_export {
            "one-way-export"
        } else if config.event_export != self.config.event_export {
            "event-export"
        } else if config.web != self.config.web {
            "web"
        } else if config.log_format != self.config.log_format {
            "log.format"
        } else {
            return Ok(());
        };
        Err(Failure::Restart { key })
    }
}
