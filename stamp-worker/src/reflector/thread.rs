//! The loop of one reflector worker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use stamp_net::{
    ArrivedHeaders, Datagram, ErrorBatch, NetError, Outgoing, Poller, Ready, ReceiveBatch,
    SendBatch, SendOutcome, UdpSocket, Waker,
};
use stamp_session::clock::{ClockState, Now};
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{
    DataPlane, OneWayView, Reflector, ReflectorConfig, ReflectorConfigError, ReflectorSnapshot,
    Reply, ReplyToken, ReplyWay, SessionFilter, SessionView, Verdict,
};
use stamp_session::statistics::Histogram;

use super::labels::LabelOutlet;
use super::listener::Listener;
use super::{ReflectorObserver, WorkerCounts};
use crate::SLOT_OCTETS;
use crate::clock::{ClockWatch, monotonic, now, user_stamp};
use crate::error::WorkerError;
use crate::traffic::TrafficWatch;

/// Datagrams taken from a socket at once.
const RECEIVE_COUNT: usize = 64;
/// Replies sealed and sent at once.
///
/// T3 is written before the call that sends the whole batch, and the kernel needs about 3 µs for
/// each reply: the larger the batch, the earlier T3 of its last reply. Sixteen already share the
/// cost of the call.
const SEND_COUNT: usize = 16;
/// Batches taken from one socket before the others get their turn.
const TURNS: usize = 8;

/// What the control side asks of a worker.
pub(super) enum Command {
    Listen {
        token: u32,
        socket: UdpSocket,
        turnaround: Arc<Histogram>,
        answer: Sender<Result<(), NetError>>,
    },
    Unlisten {
        token: u32,
        answer: Sender<()>,
    },
    Reconfigure {
        config: Box<ReflectorConfig>,
        answer: Sender<Result<(), ReflectorConfigError>>,
    },
    Clock(ClockState),
    Traffic(Option<TrafficWatch>),
    Counts(Sender<WorkerCounts>),
    Sessions(Sender<Vec<SessionView>>),
    OneWay(Sender<Vec<OneWayView>>),
    Forget {
        which: SessionFilter,
        answer: Sender<usize>,
    },
    Drain {
        is_draining: bool,
        answer: Sender<()>,
    },
    Here(Sender<()>),
    Stop,
}

/// Everything one worker owns.
pub(super) struct WorkerThread {
    engine: Reflector,
    listeners: Vec<Listener>,
    /// Drops of sockets that are closed, so that the sum never falls.
    closed_queue_drops: u64,
    poller: Poller,
    /// What the last wait found; kept for its memory.
    ready: Vec<Ready>,
    buffers: Buffers,
    clock: ClockWatch,
    traffic: Option<TrafficWatch>,
    inbox: Receiver<Command>,
    observer: Arc<dyn ReflectorObserver>,
}

struct Buffers {
    receive: ReceiveBatch,
    send: SendBatch,
    errors: ErrorBatch,
    /// Tokens of the replies in `send`, in its order, and whether their transmit stamps are wanted.
    tokens: Vec<(ReplyToken, bool)>,
    /// Segments of the reply in hand.
    segments: Vec<u8>,
    /// A reply that has to wait until those before it have left.
    waiting: Vec<u8>,
    labels: LabelOutlet,
}

impl WorkerThread {
    pub(super) fn new(
        engine: Reflector,
        clock: ClockState,
        inbox: Receiver<Command>,
        observer: Arc<dyn ReflectorObserver>,
    ) -> Result<Self, WorkerError> {
        let buffers = Buffers {
            receive: ReceiveBatch::new(RECEIVE_COUNT, SLOT_OCTETS),
            send: SendBatch::new(SEND_COUNT, SLOT_OCTETS),
            errors: ErrorBatch::new(RECEIVE_COUNT),
            tokens: Vec::with_capacity(SEND_COUNT),
            segments: Vec::new(),
            waiting: Vec::new(),
            labels: LabelOutlet::default(),
        };
        let clock = ClockWatch::new(clock, monotonic());
        let poller = Poller::new()?;
        Ok(Self {
            engine,
            listeners: Vec::new(),
            closed_queue_drops: 0,
            poller,
            ready: Vec::with_capacity(64),
            buffers,
            clock,
            traffic: None,
            inbox,
            observer,
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Answers probes until told to stop.
    pub(super) fn run(mut self) -> ReflectorSnapshot {
        loop {
            let deadline = self.engine.next_timeout().map(|time| time.ns());
            let woken = match self.poller.wait(deadline) {
                Ok(readiness) => {
                    self.ready.extend(readiness.iter());
                    readiness.woken()
                }
                // The kernel gives no reason but a signal or lack of memory; both pass.
                Err(_) => false,
            };
            if woken && !self.obey() {
                return self.engine.snapshot();
            }
            self.serve();
            let now = now();
            if let Some(state) = self.clock.poll(now.monotonic) {
                self.engine.handle_clock(state);
            }
            if self.engine.next_timeout().is_some_and(|time| time <= now.monotonic) {
                self.engine.handle_timeout(now.monotonic);
            }
            self.send_further();
            while let Some(event) = self.engine.poll_event() {
                self.observer.notice(event);
            }
        }
    }

    /// Carries out commands; `false` when it is time to end.
    fn obey(&mut self) -> bool {
        while let Ok(command) = self.inbox.try_recv() {
            // An asker that is gone needs no answer.
            match command {
                Command::Listen { token, socket, turnaround, answer } => {
                    let added = self.poller.add(&socket, token);
                    if added.is_ok() {
                        let mut listener = Listener::new(token, socket, turnaround);
                        listener.configure(&self.engine);
                        self.listeners.push(listener);
                    }
                    let _ = answer.send(added);
                }
                Command::Unlisten { token, answer } => {
                    self.unlisten(token);
                    let _ = answer.send(());
                }
                Command::Reconfigure { config, answer } => {
                    let clock = config.clock;
                    let taken = self.engine.replace_config(*config);
                    if taken.is_ok() {
                        self.clock = ClockWatch::new(clock, monotonic());
                        let engine = &self.engine;
                        self.listeners.iter_mut().for_each(|listener| listener.configure(engine));
                    }
                    let _ = answer.send(taken);
                }
                Command::Clock(state) => self.engine.handle_clock(state),
                Command::Traffic(watch) => {
                    self.traffic = watch;
                    self.engine.handle_counters(None);
                }
                Command::Counts(answer) => {
                    let counted = |listener: &Listener| (listener.token, listener.probes);
                    let _ = answer.send(WorkerCounts {
                        snapshot: self.engine.snapshot(),
                        listeners: self.listeners.iter().map(counted).collect(),
                        queue_drops: self.queue_drops(),
                    });
                }
                Command::Sessions(answer) => {
                    let _ = answer.send(self.engine.sessions().collect());
                }
                Command::OneWay(answer) => {
                    let _ = answer.send(self.engine.one_way().collect());
                }
                Command::Forget { which, answer } => {
                    let _ = answer.send(self.engine.forget_sessions(&which));
                }
                Command::Drain { is_draining, answer } => {
                    self.engine.drain(is_draining);
                    let _ = answer.send(());
                }
                Command::Here(answer) => {
                    let _ = answer.send(());
                }
                Command::Stop => return false,
            }
        }
        true
    }

    fn unlisten(&mut self, token: u32) {
        let leaving = self.listeners.iter().filter(|listener| listener.token == token);
        let drops: u64 = leaving.map(Listener::queue_drops).sum();
        self.closed_queue_drops += drops;
        self.listeners.retain(|listener| listener.token != token);
    }

    fn queue_drops(&self) -> u64 {
        let open: u64 = self.listeners.iter().map(Listener::queue_drops).sum();
        self.closed_queue_drops + open
    }

    /// Sends the replies that are due to probes which want several, one by one: they are apart.
    fn send_further(&mut self) {
        let send = &mut self.buffers.send;
        while let Some(slot) = send.slot() {
            let Some(further) = self.engine.poll_reply(monotonic(), slot) else { return };
            let serves = |listener: &&mut Listener| listener.serves(further.listener);
            // Its socket may have been closed since.
            let Some(listener) = self.listeners.iter_mut().find(serves) else {
                self.engine.handle_further_unsent(further.reply.discard());
                continue;
            };
            let reply = further.reply.seal(stamp_net::clock::wall_now());
            let outgoing = outgoing(&reply, listener.socket.local_addr());
            let token = reply.token;
            send.push(outgoing);
            listener.socket.send(send);
            if matches!(send.outcome(0), SendOutcome::Failed(_) | SendOutcome::Unsent) {
                self.engine.handle_further_unsent(token);
            }
            send.clear();
        }
    }

    /// Takes what the ready sockets hold, a bounded number of batches from each.
    fn serve(&mut self) {
        for ready in self.ready.drain(..) {
            let named = |listener: &&mut Listener| listener.token == ready.token;
            // A socket may have been closed since.
            let Some(listener) = self.listeners.iter_mut().find(named) else { continue };
            let before = self.engine.probes();
            let mut errors = ready.error;
            for _ in 0..TURNS {
                if errors || listener.awaits_stamps() {
                    listener.take_errors(&mut self.buffers.errors, &mut self.engine);
                    errors = false;
                }
                // An error of one socket must not keep the others from being served.
                let taken = listener.socket.receive(&mut self.buffers.receive).unwrap_or(0);
                if let Some(traffic) = &self.traffic {
                    self.engine.handle_counters(traffic.counters());
                }
                answer(listener, &mut self.engine, &mut self.buffers, self.observer.as_ref());
                if taken < RECEIVE_COUNT {
                    break;
                }
            }
            listener.count(&self.engine.probes().since(&before));
        }
    }
}

/// Hands every received datagram to the engine and sends the replies.
fn answer(
    listener: &mut Listener,
    engine: &mut Reflector,
    buffers: &mut Buffers,
    observer: &dyn ReflectorObserver,
) {
    let Buffers { receive, send, tokens, segments, waiting, labels, .. } = buffers;
    let local = listener.socket.local_addr();
    // Once a batch: only what was received without a stamp is dated by it.
    let now = now();
    for datagram in receive.iter() {
        if datagram.truncated {
            engine.handle_truncated();
            continue;
        }
        let Some(slot) = send.slot() else { continue };
        let arrived = listener.headers(&datagram);
        let fixed = arrived.as_ref().and_then(ArrivedHeaders::fixed);
        let headers = Headers {
            fixed: fixed.as_slice(),
            extensions: arrived.as_ref().map_or(&[], ArrivedHeaders::extensions),
        };
        let interface = listener.member(&datagram).unwrap_or(datagram.interface);
        let probe = Received { headers, interface, ..received(&datagram, now) };
        let received_at = probe.stamp.time;
        let unsealed = match engine.handle_probe(now.monotonic, probe, slot) {
            Verdict::Reply(unsealed) => unsealed,
            Verdict::Observe(arrival) => {
                observer.arrived(&arrival);
                continue;
            }
            Verdict::Drop(_) => continue,
        };
        let reply_sent = stamp_net::clock::wall_now();
        let reply = unsealed.seal(reply_sent);
        listener.turnaround.record(reply_sent.since(received_at));
        let outgoing = outgoing(&reply, local);
        if let Some(left) = listener.send_by_member(&outgoing, reply.octets) {
            if !left {
                engine.handle_unsent(reply.token);
            }
            continue;
        }
        segments.clear();
        if let ReplyWay::Segments(list) = &reply.way {
            if list.plane() == DataPlane::Mpls {
                if !labels.send(list.octets(), &listener.socket, &outgoing, reply.octets) {
                    engine.handle_unsent(reply.token);
                }
                continue;
            }
            segments.extend_from_slice(list.octets());
        }
        if !listener.leads_over(segments) {
            // What is in the batch goes the other way.
            waiting.clear();
            waiting.extend_from_slice(reply.octets);
            let token = reply.token;
            flush(listener, engine, send, tokens);
            if !listener.lead_over(segments) || !refill(send, waiting) {
                engine.handle_unsent(token);
                continue;
            }
            tokens.push((token, outgoing.wants_stamp));
        } else {
            tokens.push((reply.token, reply.wants_stamp));
        }
        send.push(outgoing);
        if send.is_full() {
            flush(listener, engine, send, tokens);
        }
    }
    receive.clear();
    flush(listener, engine, send, tokens);
}

/// How a reply of a listener leaves.
fn outgoing(reply: &Reply<'_>, local: SocketAddr) -> Outgoing {
    Outgoing {
        octets: reply.octets.len(),
        to: reply.to,
        from: reply.from.or_else(|| (!local.ip().is_unspecified()).then(|| local.ip())),
        interface: reply.interface,
        keeps_link: reply.way == ReplyWay::SameLink,
        traffic_class: Some(reply.traffic_class),
        wants_stamp: reply.wants_stamp,
    }
}

/// Puts a reply into the next slot.
fn refill(send: &mut SendBatch, reply: &[u8]) -> bool {
    let slot = send.slot().and_then(|slot| slot.get_mut(..reply.len()));
    slot.map(|slot| slot.copy_from_slice(reply)).is_some()
}

/// Sends what is in `send`; a reply that did not leave gives its sequence number back.
fn flush(
    listener: &mut Listener,
    engine: &mut Reflector,
    send: &mut SendBatch,
    tokens: &mut Vec<(ReplyToken, bool)>,
) {
    if send.is_empty() {
        return;
    }
    listener.socket.send(send);
    for (index, (token, wants_stamp)) in tokens.drain(..).enumerate() {
        match send.outcome(index) {
            SendOutcome::Failed(_) | SendOutcome::Unsent => engine.handle_unsent(token),
            SendOutcome::Sent { transmit_id: Some(id) } if wants_stamp => {
                listener.await_stamp(id, token);
            }
            SendOutcome::Sent { .. } => {}
        }
    }
    send.clear();
}

/// What the engine wants to know of a datagram.
fn received<'a>(datagram: &Datagram<'a>, now: Now) -> Received<'a> {
    Received {
        octets: datagram.octets,
        from: datagram.from,
        to: datagram.to,
        interface: datagram.interface,
        stamp: datagram.stamp.unwrap_or_else(|| user_stamp(now)),
        hop_limit: datagram.hop_limit,
        traffic_class: datagram.traffic_class,
        headers: Headers::UNKNOWN,
    }
}
