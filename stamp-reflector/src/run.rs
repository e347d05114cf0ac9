//! Answers probes until a signal ends it.

use core::time::Duration;
use std::io;

use stamp_service::inherited::Inherited;
use stamp_service::log::Log;
use stamp_service::manager;
use stamp_service::sandbox::{self, Sandbox};
use stamp_session::reflector::ReflectorEvent;
use stamp_worker::RollCall;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::config::{self, Source};
use crate::export::{Export, Lines, Transition};
use crate::failure::Failure;
use crate::hearing::{Hearing, hearing};
use crate::journal::{Exports, Journal, Noticed, journal};
use crate::needs;
use crate::service::Service;
use crate::web::Exporter;

/// How often addresses and rates are looked at.
const TICK: Duration = Duration::from_secs(10);
/// How often the node is asked what it forwarded: a scrape does not ask by itself.
const NODE_TICK: Duration = Duration::from_secs(1);

/// Reflects until SIGTERM or SIGINT.
///
/// # Errors
///
/// Whatever keeps it from starting, or ends its packet threads.
pub(crate) fn reflect(source: Source) -> Result<(), Failure> {
    let config = source.load()?;
    source.check_web(&config)?;
    let log = Log::start(config.log_level.filter(), config.log_format.lines());
    let runtime = runtime()?;
    // Before there is a socket: whoever sees one may ask this process to end.
    let mut control = runtime.block_on(async { Control::new() })?;
    let mut inherited = inherited()?;
    let bound = Service::bind(&config, &mut inherited)?;
    // While there is one thread: those to come have what it has.
    let mut sandbox = Sandbox::enter(config.sandbox, &needs::of(&source, &config))?;
    let (one_way, lines) = config.one_way_export.as_deref().map(Export::open).transpose()?.unzip();
    let transitions = config.event_export.as_deref().map(Export::open).transpose()?;
    let (transitions, more_lines) = transitions.unzip();
    let (telling, hearing) = hearing();
    let (reporter, journal) = journal(Exports { one_way, transitions }, telling);
    let service = Service::start(source, config, bound, log, reporter)?;
    let exporter = service.exporter(&hearing, sandbox.in_force(), &mut inherited)?;
    inherited.close();
    sandbox.close()?;
    sandbox.tell();
    exporter.sandboxed(sandbox.in_force());
    let ended = runtime.block_on(control.run(service, (journal, hearing), exporter));
    lines.into_iter().chain(more_lines).for_each(Lines::finish);
    ended
}

fn inherited() -> Result<Inherited, Failure> {
    let fail = |source| Failure::System { what: "cannot go on with what was passed on", source };
    Inherited::take().map_err(fail)
}

fn runtime() -> Result<Runtime, Failure> {
    let built = Builder::new_current_thread().enable_io().enable_time().build();
    built.map_err(|source| Failure::System { what: "cannot start the control thread", source })
}

/// What the control thread waits for.
struct Control {
    reload: Signal,
    print: Signal,
    terminate: Signal,
    interrupt: Signal,
    tick: Interval,
    node_tick: Interval,
}

impl Control {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            let fail =
                |source: io::Error| Failure::System { what: "cannot wait for signals", source };
            signal(kind).map_err(fail)
        };
        let every = |period| {
            let mut tick = interval(period);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            tick.reset();
            tick
        };
        Ok(Self {
            reload: listen(SignalKind::hangup())?,
            print: listen(SignalKind::user_defined1())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            tick: every(TICK),
            node_tick: every(NODE_TICK),
        })
    }

    async fn run(
        &mut self,
        mut service: Service,
        (mut journal, mut hearing): (Journal, Hearing),
        mut exporter: Exporter,
    ) -> Result<(), Failure> {
        manager::ready();
        let mut watchdog = manager::watchdog().map(Watchdog::new);
        loop {
            tokio::select! {
                // What was asked for before the end is done before the end.
                biased;
                _ = self.reload.recv() => drop(reload(&mut service, &exporter, None)),
                // Whoever asked may have gone.
                Some(wish) = exporter.wishes.recv() => {
                    let _ = wish.answer.send(reload(&mut service, &exporter, wish.document));
                }
                _ = self.print.recv() => print(&service, &journal),
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.tick.tick() => service.tick()?,
                _ = self.node_tick.tick() => {
                    // What was told last stays while the thread hangs.
                    if let Some(node) = service.forwarded_lately() {
                        exporter.forwarded(Some(node), service.forwarder());
                    }
                }
                watchdog = due(watchdog.as_mut()) => watchdog.look(&service),
                Some(noticed) = journal.next() => {
                    if let Noticed { event: ReflectorEvent::Forward(change), at } = noticed {
                        hearing.transition(&Transition { change, time: at.wall });
                    }
                    journal.write(noticed);
                }
                () = hearing.tell() => {}
            }
        }
        manager::stopping();
        journal.drain();
        print(&service, &journal);
        Ok(())
    }
}

/// Tells the service manager that the packet threads are alive, and with them this one.
struct Watchdog {
    ticks: Interval,
    /// They were asked at the tick before.
    roll: RollCall,
    life: manager::Life,
}

impl Watchdog {
    fn new(period: Duration) -> Self {
        let mut ticks = interval(period);
        // Whoever was held up gives threads as long as ever to answer.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, roll: RollCall::default(), life: manager::Life::default() }
    }

    fn look(&mut self, service: &Service) {
        let absence = self.roll.absence();
        self.life.tell(absence.as_ref().map(ToString::to_string));
        if absence.is_none() {
            self.roll = service.call_roll();
        }
    }
}

/// Its next tick; never where there is none.
async fn due(watchdog: Option<&mut Watchdog>) -> &mut Watchdog {
    match watchdog {
        Some(watchdog) => {
            watchdog.ticks.tick().await;
            watchdog
        }
        None => std::future::pending().await,
    }
}

fn print(service: &Service, journal: &Journal) {
    service.statistics(journal.lost()).write(service.config().log_format);
}

/// Reads everything again, or a document that somebody sent; why it is not in effect, if it is not.
fn reload(
    service: &mut Service,
    exporter: &Exporter,
    document: Option<String>,
) -> Result<(), String> {
    manager::reloading();
    let result = match document {
        None => service.reload(),
        Some(document) => service.push(&document),
    };
    manager::ready();
    match result {
        Ok(()) => {
            exporter.forwarded(service.forwarded(), service.forwarder());
            exporter.reloaded(Some((config::show(service.config()), service.config().clock)));
            Ok(())
        }
        Err(failure) => {
            let reason = failure.to_string();
            for line in reason.lines() {
                tracing::error!("{line}");
            }
            if let Some(hint) = sandbox::hint(&reason) {
                tracing::error!("{hint}");
            }
            tracing::error!("reload refused: the old configuration stays in effect");
            exporter.reloaded(None);
            Err(reason)
        }
    }
}
