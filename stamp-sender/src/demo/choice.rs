//! The last act: a policy with three candidate paths, the route that follows the choice, and a program
//! that feels it when one of them becomes slow.
//!
//! ```text
//!   s   stamp-sender run ── /api/v1/paths ──► stamp-sender write ──► routes ──► datagrams of a program
//!            └──────── events ────────┐                └── log ──┐
//!                                     └───────► the story ◄──────┘
//! ```
//!
//! Both are the real programs with a file that stands on disk, started at the node as an operator would.

mod act;
mod files;
mod programs;
mod stops;
mod story;
mod traffic;

use std::net::SocketAddr;

use stamp_net::{SocketOptions, UdpSocket};

use super::network::{Network, within};
use super::reflector::Reflector;
use crate::command_line::Demo;
use crate::exit::Failure;
use act::Act;
use files::Files;
use programs::Programs;
use stops::Stops;
use traffic::Traffic;

/// The port of the protocol, at which the reflector answers.
const PORT: u16 = 862;

/// Plays the act in a network whose ways have been measured.
///
/// # Errors
///
/// When one of the programs ends, or something that has to come does not.
pub(super) fn run(mut network: Network, demo: &Demo) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    // What came before has told the kernel that no signal ends this process.
    let mut stops = {
        let _entered = runtime.enter();
        Stops::listen()?
    };
    let [(near, from), (far, to)] = network.ends()?;
    let files = Files::write(demo.keep.as_deref())?;
    let socket =
        within(&far, || UdpSocket::open(&SocketOptions::new(SocketAddr::new(to.into(), PORT))))??;
    let _reflector = Reflector::start(socket, None)?;
    let traffic = Traffic::start((&near, from), (&far, to))?;
    let mut act = Act::new(&mut network, traffic, demo.output.is_for_people());
    if demo.output.is_for_people() && demo.output.quiet == 0 {
        act.print(&introduction(demo))?;
    }
    // The programs are started at the node, and what is asked over HTTP is asked there.
    within(&near, || {
        let mut programs = Programs::start(&files.service())?;
        runtime.block_on(act.play(&mut programs, &mut stops))
    })?
}

fn introduction(demo: &Demo) -> String {
    let kept = match &demo.keep {
        Some(folder) => format!("Their file and the network's stay in {}.", folder.display()),
        None => {
            "`stamp-sender demo --keep FOLDER` leaves you their file and the network's.".to_owned()
        }
    };
    format!(
        "\nWhich way is the best now? A class of traffic needs {}\n\
         and goes past c by preference, else past a or b, whichever is better. At s `stamp-sender run` measures\n\
         all three and chooses, `stamp-sender write` sets the route, and a program sends datagrams to r.\n{kept}\n\n",
        Files::requirement()
    )
}
