//! Metrics as text, written piece by piece: ten thousand sessions are a hundred megabytes, which no
//! scrape may cost at once.

use std::io::{self, Write};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram as Classic, LabelPair, Metric as Series, MetricFamily,
    MetricType,
};
use prometheus::{Encoder as _, TextEncoder};
use stamp_session::statistics::Histogram;

use crate::catalogue::{Kind, Metric};

/// Content type of what [`Exposition`] writes.
pub const TEXT_FORMAT: &str = prometheus::TEXT_FORMAT;

/// Items whose series exist at once.
const SLICE: usize = 128;
/// A piece is sent when it is as long as this.
const PIECE_OCTETS: usize = 32 * 1024;

/// A metric and where its values come from: `P` is what there is to tell of the program, `I` of each
/// item such as a session.
pub struct Family<P, I> {
    metric: &'static Metric,
    of: Of<P, I>,
}

/// Where values come from.
pub(crate) enum Of<P, I> {
    Program(fn(&P, &mut Samples)),
    Item(fn(&I, &mut Samples)),
}

impl<P, I> Family<P, I> {
    pub(crate) const fn new(metric: &'static Metric, of: Of<P, I>) -> Self {
        Self { metric, of }
    }

    pub(crate) const fn metric(&self) -> &'static Metric {
        self.metric
    }
}

/// Samples of one metric.
pub(crate) struct Samples {
    metric: &'static Metric,
    series: Vec<Series>,
}

impl Samples {
    const fn new(metric: &'static Metric) -> Self {
        Self { metric, series: Vec::new() }
    }

    /// A sample whose labels are the first of the catalogue, in its order.
    pub(crate) fn add(&mut self, labels: &[&str], value: f64) {
        self.add_labelled(labels, std::iter::empty(), value);
    }

    /// The same of a count.
    pub(crate) fn count(&mut self, labels: &[&str], value: u64) {
        self.add(labels, value as f64);
    }

    /// The same of a yes or no.
    pub(crate) fn truth(&mut self, labels: &[&str], value: bool) {
        self.add(labels, if value { 1.0 } else { 0.0 });
    }

    /// The same of what may be unknown, and then is absent.
    pub(crate) fn some(&mut self, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.add(labels, value);
        }
    }

    /// With labels of the operator behind those of the catalogue. An empty label is as good as none.
    pub(crate) fn add_labelled<'l>(
        &mut self,
        labels: &[&'l str],
        own: impl Iterator<Item = (&'l str, &'l str)>,
        value: f64,
    ) {
        let mut series = self.series(labels, own);
        if self.metric.kind == Kind::Counter {
            let mut counter = Counter::default();
            counter.set_value(value);
            series.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            series.set_gauge(gauge);
        }
        self.series.push(series);
    }

    /// Values that were counted in nanoseconds.
    pub(crate) fn histogram(&mut self, labels: &[&str], of: &Histogram) {
        let counted = of.read();
        let bounds = of.buckets().bounds_ns().iter().zip(counted.cumulative);
        let buckets = bounds.map(|(bound_ns, count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound_ns as f64 / 1e9);
            bucket.set_cumulative_count(count);
            bucket
        });
        let mut classic = Classic::default();
        classic.set_bucket(buckets.collect());
        classic.set_sample_count(counted.count);
        classic.set_sample_sum(counted.sum_ns as f64 / 1e9);
        let mut series = self.series(labels, std::iter::empty());
        series.set_histogram(classic);
        self.series.push(series);
    }

    fn series<'l>(
        &self,
        labels: &[&'l str],
        own: impl Iterator<Item = (&'l str, &'l str)>,
    ) -> Series {
        debug_assert_eq!(labels.len(), self.metric.labels.len(), "{}", self.metric.name);
        let ours = self.metric.labels.iter().copied().zip(labels.iter().copied());
        let pairs = ours.chain(own).filter(|(_, value)| !value.is_empty()).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        });
        let mut series = Series::default();
        series.set_label(pairs.collect());
        series
    }

    fn into_family(self) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.metric.name.to_owned());
        family.set_help(self.metric.help.to_owned());
        family.set_field_type(match self.metric.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Histogram => MetricType::HISTOGRAM,
        });
        family.set_metric(self.series);
        family
    }
}

/// Everything there is to tell at one moment, as an iterator of pieces of text.
pub struct Exposition<P: 'static, I: 'static> {
    families: &'static [Family<P, I>],
    program: P,
    /// Family and item that come next.
    place: (usize, usize),
    piece: Vec<u8>,
}

impl<P: AsRef<[I]>, I> Exposition<P, I> {
    pub(crate) const fn new(families: &'static [Family<P, I>], program: P) -> Self {
        Self { families, program, place: (0, 0), piece: Vec::new() }
    }

    /// The next samples; `None` when there are no more. The first of a metric have their description
    /// in front.
    fn slice(&mut self) -> Option<(bool, Samples)> {
        loop {
            let (index, first) = self.place;
            let family = self.families.get(index)?;
            let mut samples = Samples::new(family.metric);
            let items = self.program.as_ref();
            let next = match family.of {
                Of::Program(of) => {
                    of(&self.program, &mut samples);
                    None
                }
                Of::Item(of) => {
                    let end = items.len().min(first.saturating_add(SLICE));
                    items.get(first..end).into_iter().flatten().for_each(|it| of(it, &mut samples));
                    (end < items.len()).then_some(end)
                }
            };
            self.place = next.map_or((index + 1, 0), |next| (index, next));
            if !samples.series.is_empty() {
                return Some((first > 0, samples));
            }
        }
    }
}

impl<P: AsRef<[I]>, I> Iterator for Exposition<P, I> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        while self.piece.len() < PIECE_OCTETS {
            let Some((goes_on, samples)) = self.slice() else { break };
            let family = samples.into_family();
            let mut body = Body { skipped_lines: if goes_on { 2 } else { 0 }, to: &mut self.piece };
            // Neither memory nor a family with a name and samples refuses.
            let _ = TextEncoder::new().encode(&[family], &mut body);
        }
        (!self.piece.is_empty()).then(|| std::mem::take(&mut self.piece))
    }
}

/// Leaves out the description of a metric, which is in its first two lines, where it was written
/// already.
struct Body<'a> {
    skipped_lines: usize,
    to: &'a mut Vec<u8>,
}

impl Write for Body<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut rest = octets;
        while self.skipped_lines > 0 && !rest.is_empty() {
            match rest.iter().position(|octet| *octet == b'\n') {
                Some(end) => {
                    rest = rest.get(end + 1..).unwrap_or_default();
                    self.skipped_lines -= 1;
                }
                None => rest = &[],
            }
        }
        self.to.extend_from_slice(rest);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// For a registry of others. It holds all of it at once, so it is for few sessions.
impl<P: AsRef<[I]> + Send + Sync, I> Collector for Exposition<P, I> {
    fn desc(&self) -> Vec<&Desc> {
        // What is told varies from scrape to scrape, so nothing is promised beforehand.
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let family = |family: &Family<P, I>| {
            let mut samples = Samples::new(family.metric);
            match family.of {
                Of::Program(of) => of(&self.program, &mut samples),
                Of::Item(of) => {
                    self.program.as_ref().iter().for_each(|item| of(item, &mut samples));
                }
            }
            samples.into_family()
        };
        self.families.iter().map(family).collect()
    }
}
