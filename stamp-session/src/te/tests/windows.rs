use super::*;
use crate::sender::{Sender, SenderConfig};
use crate::snapshot::SessionSnapshot;
use crate::statistics::{DelaySummary, VariationSummary};
use stamp_proto::packet::Ssid;

fn summary(micros_of: i64) -> DelaySummary {
    DelaySummary {
        count: 280,
        min: Some(micros(micros_of)),
        mean: Some(micros(micros_of + 10)),
        max: Some(micros(micros_of + 90)),
        ..DelaySummary::default()
    }
}

/// 300 probes, of which 280 came back; forward 8 ms, there and back 20 ms.
fn measured() -> SessionSnapshot {
    let config = SenderConfig::new("192.0.2.1:862".parse().unwrap(), Ssid(7));
    let mut snapshot = Sender::new(config, MonotonicTime::ZERO).unwrap().snapshot();
    snapshot.clock.synchronized = true;
    snapshot.delay.forward = summary(8_000);
    snapshot.delay.round_trip = summary(20_000);
    let variation =
        |of| VariationSummary { mean_magnitude: Some(of), ..VariationSummary::default() };
    snapshot.ipdv.forward = variation(micros(30));
    snapshot.ipdv.round_trip = variation(micros(80));
    snapshot.packets.received = 280;
    snapshot.packets.lost.round_trip = 20;
    snapshot
}

fn of(snapshot: &SessionSnapshot) -> TeWindow {
    TeWindow::of(snapshot, seconds(0), seconds(30), Duration::from_millis(100))
}

#[test]
fn one_way_delay_needs_clocks_that_agree() {
    let mut snapshot = measured();
    let window = of(&snapshot);
    assert_eq!(window.delay_mode, TeMode::OneWay);
    assert_eq!(window.delay.map(|delay| delay.min), Some(micros(8_000)));
    assert_eq!(window.variation, Some(micros(30)));
    snapshot.clock.synchronized = false;
    let window = of(&snapshot);
    assert_eq!(window.delay_mode, TeMode::Derived);
    assert_eq!(window.delay.map(|delay| delay.min), Some(micros(10_000)));
    assert_eq!(window.delay.map(|delay| delay.avg), Some(micros(10_005)));
    assert_eq!(window.variation, Some(micros(40)));
}

#[test]
fn loss_one_way_needs_a_far_end_that_counts() {
    let mut snapshot = measured();
    assert_eq!(
        (of(&snapshot).loss_mode, of(&snapshot).loss),
        (TeMode::Derived, LossShare::new(20, 300))
    );
    snapshot.packets.lost.forward = Some(5);
    assert_eq!(
        (of(&snapshot).loss_mode, of(&snapshot).loss),
        (TeMode::OneWay, LossShare::new(5, 300))
    );
}

#[test]
fn what_our_own_host_dropped_is_not_advertised() {
    let mut snapshot = measured();
    snapshot.packets.lost.local = 20;
    assert_eq!(of(&snapshot).loss, LossShare::new(0, 280));
}

#[test]
fn loss_makes_a_window_of_delays_thin_and_not_one_of_losses() {
    let mut snapshot = measured();
    assert_eq!((of(&snapshot).delay_integrity(), of(&snapshot).loss_integrity()), (93, 100));
    snapshot.packets.received = 0;
    snapshot.packets.lost.round_trip = 300;
    snapshot.delay.forward = DelaySummary::default();
    snapshot.delay.round_trip = DelaySummary::default();
    let window = of(&snapshot);
    assert_eq!((window.delay_integrity(), window.loss_integrity()), (0, 100));
    let mut advertiser = TeAdvertiser::new(TeConfig::default()).unwrap();
    let announced: Vec<_> = advertiser.handle_window(&window).collect();
    assert_eq!(announced.len(), 1);
    assert_eq!(announced[0].values, Some(TeValues::Loss(TeLoss::MAX)));
}

#[test]
fn without_a_length_a_window_is_as_full_as_it_can_be() {
    let window = TeWindow { expected: 0, ..window(30, 1) };
    assert_eq!(window.delay_integrity(), 100);
    let empty = TeWindow { delay: None, ..window };
    assert_eq!(empty.delay_integrity(), 0);
}
