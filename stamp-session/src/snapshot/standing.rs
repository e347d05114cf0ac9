use super::{
    PacketCounts, ReflectorReport, SessionSnapshot, SessionState, StampReport, StateReport,
    ThresholdReport,
};
use crate::clock::ClockState;

/// One Session-Sender session over its whole run, as far as that takes no look through its values.
///
/// It costs a packet thread next to nothing, so thousands can be asked for while probes are due.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionStanding {
    /// [`SessionSnapshot::state`].
    pub state: SessionState,
    /// [`SessionSnapshot::connectivity`].
    pub connectivity: StateReport,
    /// [`SessionSnapshot::packets`].
    pub packets: PacketCounts,
    /// [`SessionSnapshot::stamps`].
    pub stamps: StampReport,
    /// [`SessionSnapshot::reflector`].
    pub reflector: ReflectorReport,
    /// [`ClockReport::near`](super::ClockReport::near).
    pub near_clock: ClockState,
    /// [`ClockReport::far`](super::ClockReport::far).
    pub far_clock: Option<ClockState>,
    /// [`ClockReport::far_learned`](super::ClockReport::far_learned).
    pub far_clock_learned: bool,
    /// [`SessionSnapshot::thresholds`].
    pub thresholds: Option<Box<ThresholdReport>>,
}

impl From<&SessionSnapshot> for SessionStanding {
    fn from(snapshot: &SessionSnapshot) -> Self {
        Self {
            state: snapshot.state,
            connectivity: snapshot.connectivity,
            packets: snapshot.packets,
            stamps: snapshot.stamps,
            reflector: snapshot.reflector,
            near_clock: snapshot.clock.near,
            far_clock: snapshot.clock.far,
            far_clock_learned: snapshot.clock.far_learned,
            thresholds: snapshot.thresholds.clone(),
        }
    }
}
