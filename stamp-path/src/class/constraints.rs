//! What the needs of a class mean for paths that are computed.

use core::time::Duration;

use super::{Class, Direction, Measure, Value};
use crate::compute::Constraint;

impl Class {
    /// Bounds that every path needs, before anything is measured: a path whose links alone take longer
    /// than the class allows is none for it. What the topology does not know, such as the variation of
    /// delay, is left to measurement.
    #[must_use]
    pub fn constraints(&self) -> Vec<Constraint> {
        let avoid = &self.avoid;
        let nodes = avoid.nodes.iter().copied().map(Constraint::AvoidNode);
        let links = avoid.links.iter().copied().map(Constraint::AvoidLink);
        let domains = avoid.domains.iter().cloned().map(Constraint::AvoidDomain);
        let numbers = avoid.autonomous_systems.iter().copied();
        let affinities = avoid.affinities.iter().cloned().map(Constraint::ExcludeAffinity);
        let srlgs = avoid.srlgs.iter().copied().map(Constraint::AvoidSrlg);
        let bounds = [self.longest(), self.lossiest(), self.most_hops()];
        let avoided = nodes.chain(links).chain(domains).chain(affinities).chain(srlgs);
        let numbers = numbers.map(Constraint::AvoidAutonomousSystem);
        bounds.into_iter().flatten().chain(avoided).chain(numbers).collect()
    }

    /// What holds for the way there, the whole round trip bounding it too.
    fn limits(&self, is_meant: impl Fn(Measure) -> bool) -> impl Iterator<Item = Value> {
        self.require.iter().filter(move |it| is_meant(it.measure)).map(|it| it.limit)
    }

    fn longest(&self) -> Option<Constraint> {
        let forth = |measure| {
            matches!(measure, Measure::Delay(Direction::Forward | Direction::RoundTrip, _))
        };
        let least = self.limits(forth).map(Value::number).min()?;
        Some(Constraint::MaxDelay(Duration::from_nanos(least.unsigned_abs())))
    }

    fn lossiest(&self) -> Option<Constraint> {
        let forth =
            |measure| matches!(measure, Measure::Loss(Direction::Forward | Direction::RoundTrip));
        let shares = self.limits(forth).filter_map(|limit| match limit {
            Value::Share(share) => Some(share),
            _ => None,
        });
        shares.min().map(Constraint::MaxLoss)
    }

    fn most_hops(&self) -> Option<Constraint> {
        let least = self.limits(|measure| measure == Measure::Hops).map(Value::number).min()?;
        u32::try_from(least).ok().map(Constraint::MaxHops)
    }
}
