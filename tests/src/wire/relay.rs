//! The thread between the two ends of a wire.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::EventFd;
use nix::sys::prctl;
use nix::sys::time::TimeSpec;

use super::port::Port;
use super::{Moment, Shared, State, Way};
use crate::netns::{End, Families, Host, USUAL_MTU, link as veth};

/// A wire takes whatever the hosts at its ends may send.
const WIRE_MTU: u32 = 65_535;
const FRAME_OCTETS: usize = WIRE_MTU as usize + 18;

/// A sleeping thread comes back about this late; the rest is spent awake.
const WAKE_EARLY_NS: i64 = 150_000;

/// Frames read from one end before the other end has its turn.
const BATCH: usize = 64;

/// Creates both links of the wire and opens its ends, near first.
#[track_caller]
pub(super) fn link(
    near: &Host,
    near_interface: &str,
    far: &Host,
    far_interface: &str,
) -> [Port; 2] {
    // Without an address of either family it has nothing to say on the links.
    let middle = Host::new("wire", Families::V4);
    let sides = [(near, near_interface, "near", 1), (far, far_interface, "far", 2)];
    for (host, interface, side, last) in sides {
        let link_local = Some(std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last));
        veth(
            &End { host, interface, link_local, mtu: USUAL_MTU },
            &End { host: &middle, interface: side, link_local: None, mtu: WIRE_MTU },
        );
    }
    let open = |side| {
        let opened = middle.run(|| Port::open(side));
        opened.unwrap_or_else(|error| panic!("cannot open the {side} end of the wire: {error}"))
    };
    [open("near"), open("far")]
}

/// Relays until told to stop.
pub(super) fn start(ports: [Port; 2], shared: Arc<Shared>, wake: Arc<EventFd>) -> JoinHandle<()> {
    let run = move || {
        relay(&ports, &shared, &wake).unwrap_or_else(|error| panic!("relay of the wire: {error}"));
    };
    thread::Builder::new().name("wire".to_owned()).spawn(run).expect("a thread is left")
}

fn relay(ports: &[Port; 2], shared: &Shared, wake: &EventFd) -> io::Result<()> {
    // Sleeping is late by this much by default 50 µs more.
    prctl::set_timerslack(1)?;
    let mut buffer = vec![0; FRAME_OCTETS];
    loop {
        let mut state = shared.lock();
        if state.stop {
            return Ok(());
        }
        for way in [Way::Forward, Way::Backward] {
            take_in(&ports[way as usize], way, &mut state, &mut buffer)?;
        }
        let now_ns = Moment::now().wall_ns;
        for way in [Way::Forward, Way::Backward] {
            let out = &ports[1 - way as usize];
            let lane = &mut state.lanes[way as usize];
            while let Some(outgoing) = lane.take_due(now_ns) {
                if out.send(&outgoing.octets) {
                    lane.has_gone_out(&outgoing);
                }
            }
        }
        let next_due_ns = state.lanes.iter().filter_map(super::Lane::next_due_ns).min();
        drop(state);
        shared.changed.notify_all();
        wait(ports, wake, next_due_ns)?;
    }
}

fn take_in(port: &Port, way: Way, state: &mut State, buffer: &mut [u8]) -> io::Result<()> {
    for _ in 0..BATCH {
        let Some(arrival) = port.receive(buffer)? else {
            break;
        };
        let at_ns = arrival.at_ns.unwrap_or_else(|| Moment::now().wall_ns);
        let octets = buffer[..arrival.octets].to_vec();
        let State { lanes, translation, .. } = state;
        let lane = &mut lanes[way as usize];
        if let Some(total) = arrival.overflowed {
            lane.has_overflowed(total);
        }
        let nth = lane.enter(octets, at_ns, &mut |octets| match (way, &mut *translation) {
            (Way::Forward, Some(translation)) => {
                translation.outward(octets);
                true
            }
            (Way::Backward, Some(translation)) => translation.inward(octets),
            (_, None) => true,
        });
        if let (Way::Forward, Some(nth), Some(translation)) = (way, nth, translation) {
            translation.has_passed(nth);
        }
    }
    Ok(())
}

/// Sleeps until a frame comes, the next one is nearly due, or the test has something to say.
fn wait(ports: &[Port; 2], wake: &EventFd, next_due_ns: Option<i64>) -> io::Result<()> {
    let timeout = next_due_ns.map(|due_ns| {
        let left_ns = due_ns - Moment::now().wall_ns - WAKE_EARLY_NS;
        TimeSpec::from_duration(Duration::from_nanos(left_ns.max(0).cast_unsigned()))
    });
    let [near, far] = ports.each_ref().map(|port| PollFd::new(port.as_fd(), PollFlags::POLLIN));
    let mut ready = [near, far, PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
    match ppoll(&mut ready, timeout, None) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    if ready[2].any() == Some(true) {
        wake.read()?;
    }
    Ok(())
}
