//! The process that a lab lives in.

use std::fs;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Pid, setsid};
use stamp_config::quantity::Ratio;
use stamp_lab::{Impairment, Lab, Loss, Options, rights};
use stamp_net::limits;
use stamp_path::Topology;
use stamp_path::topology::{LinkId, Side};

use super::picture;
use super::place::Place;
use super::protocol::{self, Change, Reply, Request};
use crate::Ended;
use crate::exit::{Failure, Status};

/// Longest that a connection may take to say what it wants.
const HEARING: Duration = Duration::from_secs(5);

/// How long programs have to end by themselves.
const FAREWELL: Duration = Duration::from_secs(2);

/// Builds the lab that is described on standard input, says so on standard output, and keeps it.
pub(super) fn hold(place: &Place, file: &str) -> Ended {
    match raise(place, file) {
        Ok((mut holder, listener)) => {
            protocol::say(io::stdout(), &Reply::Text { text: holder.greeting() })?;
            // Open until the very end: who asked for it waits for that.
            let _asked_for_it = holder.serve(&listener);
            place.clear();
            // Without waiting for the packet thread: everything ends with this process.
            process::exit(0)
        }
        Err(failure) => {
            protocol::say(io::stdout(), &refusal(&failure))?;
            Ok(Status::Done)
        }
    }
}

fn raise(place: &Place, file: &str) -> Result<(Holder, UnixListener), Failure> {
    // Before any thread exists.
    rights::obtain()?;
    // A process group of its own was given; without a session a terminal could still hang up.
    let _no_leader = setsid();
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|source| Failure::System { what: "reading the topology", source })?;
    let topology =
        Topology::read(file, &text).map_err(|errors| Failure::Input(errors.to_string()))?;
    let listener = place.listen()?;
    // A node takes four descriptors, a wire two; where the limit stays low, opening one more tells.
    let _raised = limits::raise_descriptor_limit();
    let start = Instant::now();
    let raised = Lab::up(topology, Options::default()).map_err(Failure::from).and_then(|lab| {
        let hosts = picture::hosts(lab.topology());
        let written = fs::write(place.hosts(), hosts);
        written.map_err(|source| Failure::System { what: "the names of nodes", source })?;
        Ok(lab)
    });
    match raised {
        Ok(lab) => {
            let raised_in = start.elapsed();
            Ok((
                Holder { lab, name: place.name().to_owned(), raised_in, entered: vec![] },
                listener,
            ))
        }
        Err(failure) => {
            place.clear();
            Err(failure)
        }
    }
}

fn refusal(failure: &Failure) -> Reply {
    Reply::Refused { status: failure.code(), problem: failure.to_string() }
}

struct Holder {
    lab: Lab,
    name: String,
    raised_in: Duration,
    /// Programs at nodes, each with a connection that lasts as long as they do.
    entered: Vec<(UnixStream, Pid)>,
}

impl Holder {
    fn greeting(&self) -> String {
        let picture = picture::of(&self.lab);
        let (nodes, links) = (self.lab.topology().nodes.len(), self.lab.plan().links.len());
        let (name, time) = (&self.name, self.raised_in.as_millis());
        let hints = picture::hints(&self.lab);
        format!(
            "lab \"{name}\": {nodes} nodes, {links} links, up in {time} ms\n\n{picture}\n{hints}"
        )
    }

    /// Answers until it is told to end, and by which connection.
    fn serve(&mut self, listener: &UnixListener) -> UnixStream {
        loop {
            let Ok((connection, _)) = listener.accept() else {
                // Most likely no descriptor is left: what has ended gives its own back.
                self.entered.retain(|(connection, _)| is_open(connection));
                continue;
            };
            // Whoever does not speak, or has gone, is not waited for.
            let heard = connection
                .set_read_timeout(Some(HEARING))
                .map_err(|source| Failure::System { what: "a timeout", source })
                .and_then(|()| protocol::hear(&connection));
            let request = heard.ok().and_then(|line| serde_json::from_str(&line).ok());
            let reply = match request {
                Some(Request::Down) => {
                    self.end_programs();
                    let text = format!("lab \"{}\" is down\n", self.name);
                    let _gone = protocol::say(&connection, &Reply::Text { text });
                    return connection;
                }
                Some(Request::Show) => self.show(),
                Some(Request::Enter { node }) => self.enter(&node, &connection),
                Some(Request::Degrade(change)) => self.degrade(&change),
                None => continue,
            };
            let reply = reply.unwrap_or_else(|failure| refusal(&failure));
            let _gone = protocol::say(&connection, &reply);
        }
    }

    fn show(&self) -> Result<Reply, Failure> {
        self.lab.check()?;
        Ok(Reply::Text { text: picture::of(&self.lab) })
    }

    fn enter(&mut self, name: &str, connection: &UnixStream) -> Result<Reply, Failure> {
        let node = self.lab.topology().node_id(name).ok_or_else(|| unknown("node", name))?;
        let peer = getsockopt(connection, PeerCredentials);
        let kept = connection.try_clone();
        self.entered.retain(|(connection, _)| is_open(connection));
        if let (Ok(peer), Ok(kept)) = (peer, kept) {
            self.entered.push((kept, Pid::from_raw(peer.pid())));
        }
        let descriptor = self.lab.namespace(node).as_raw_fd();
        Ok(Reply::Entrance { process: process::id(), descriptor })
    }

    fn degrade(&mut self, change: &Change) -> Result<Reply, Failure> {
        let link = self.lab.topology().link_id(&change.link);
        let link = link.ok_or_else(|| unknown("link", &change.link))?;
        for side in self.sides(link, change)? {
            let mut impairment = self.lab.impairment(link, side);
            apply(change, &mut impairment);
            self.lab.impair(link, side, impairment)?;
        }
        Ok(Reply::Text { text: picture::treatment(&self.lab, link) })
    }

    /// The senders whose packets are meant.
    fn sides(&self, link: LinkId, change: &Change) -> Result<Vec<Side>, Failure> {
        let Some((from, to)) = &change.direction else {
            return Ok(Side::BOTH.to_vec());
        };
        let topology = self.lab.topology();
        let is_meant = |side: &Side| {
            let ends = [*side, side.opposite()].map(|side| &topology[topology[link].at(side)].name);
            ends == [from, to]
        };
        match Side::BOTH.into_iter().find(is_meant) {
            Some(side) => Ok(vec![side]),
            None => {
                let [one, other] = topology[link].ends.map(|end| &topology[end].name);
                let problem = format!("link {} joins {one} and {other}", topology[link].name);
                Err(Failure::Refused { status: 2, problem })
            }
        }
    }

    /// Asks programs at nodes to end and gives them the time for it. Whoever goes on is killed by the
    /// kernel when this process ends.
    fn end_programs(&mut self) {
        self.entered.retain(|(connection, _)| is_open(connection));
        for (_, program) in &self.entered {
            let _gone = kill(*program, Signal::SIGTERM);
        }
        let deadline = Instant::now() + FAREWELL;
        for (connection, _) in &self.entered {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            let _at_once = connection.set_read_timeout(Some(left));
            let _ended_or_late = (&*connection).read(&mut [0]);
        }
    }
}

/// Whether the program at the other end has not ended.
fn is_open(connection: &UnixStream) -> bool {
    let _stays_blocking = connection.set_nonblocking(true);
    let ended = matches!((&*connection).read(&mut [0]), Ok(0));
    let _blocking = connection.set_nonblocking(false);
    !ended
}

fn apply(change: &Change, impairment: &mut Impairment) {
    if let Some(ns) = change.delay_ns {
        impairment.delay = Duration::from_nanos(ns);
    }
    if let Some(ns) = change.jitter_ns {
        impairment.jitter = Duration::from_nanos(ns);
    }
    if let Some(share) = change.loss_billionths.and_then(Ratio::from_billionths) {
        impairment.loss = if share == Ratio::ZERO { Loss::None } else { Loss::Share(share) };
    }
    if let Some(share) = change.reordering_billionths.and_then(Ratio::from_billionths) {
        impairment.reordering = share;
    }
}

fn unknown(what: &str, name: &str) -> Failure {
    let problem = format!("the lab has no {what} \"{name}\"; stamp-sender lab show lists them");
    Failure::Refused { status: 2, problem }
}
