//! Programs that hang at an ingress by a descriptor, as Linux does from 6.6 on.

use stamp_tests::netns::{Need, Signal, Trial, trials};

use super::{Stage, open_probe, sids, tc};

pub(super) fn trials() -> Vec<Trial> {
    trials![a_kill_leaves_nothing_behind: [Need::IPV6, Need::BPF, Need::TCX]]
}

fn a_kill_leaves_nothing_behind() {
    let mut stage = Stage::new(&tc::file("tc", tc::SID));
    let probe = sids::tunnel(&stage, &["fc00:bb:2:f::"], &open_probe());
    stage.round_trip(0x86dd, &probe);
    let programs = |stage: &Stage| stage.net.router.run(|| stamp_net::tc::programs_at("eth0"));
    assert_eq!(programs(&stage).expect("root may ask"), 1);
    stage.program.signal(Signal::SIGKILL);
    let _killed = stage.program.wait();
    assert_eq!(programs(&stage).expect("root may ask"), 0);
    tc::assert_gone(&mut stage, &probe);
}
