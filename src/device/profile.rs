//! The time that a device spends in each kernel.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The clock with which times were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The device's clock, around each kernel.
    Device,
    /// The host's clock, from the submission of a kernel to its end.
    Host,
}

/// The time of one kernel.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct KernelTime {
    /// Name of the kernel; on the CPU, of the op.
    pub kernel: String,
    /// Number of launches.
    pub launches: u64,
    /// Number of launches that were timed.
    pub timed: u64,
    /// Mean time of a launch, in seconds.
    pub mean_seconds: f64,
    /// Fraction of the time of all kernels, from 0 to 1. The time of a kernel is the mean
    /// multiplied by the number of launches.
    pub share: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    launches: u64,
    timed: u64,
    time: Duration,
}

#[derive(Debug, Default)]
struct Content {
    clock: Option<Clock>,
    kernels: BTreeMap<String, Sums>,
}

/// Accumulates kernel times. Clones share their content, so that a device and its user can each
/// hold one.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    content: Arc<Mutex<Content>>,
}

impl Profile {
    fn with<T>(&self, work: impl FnOnce(&mut Content) -> T) -> T {
        work(&mut self.content.lock().expect("no thread panics while it holds this"))
    }

    /// Counts a launch of a kernel.
    pub(super) fn launched(&self, kernel: &str) {
        self.with(|content| content.kernels.entry(kernel.into()).or_default().launches += 1);
    }

    /// Adds the time of a launch of a kernel.
    pub(super) fn timed(&self, clock: Clock, kernel: &str, time: Duration) {
        self.with(|content| {
            content.clock = Some(clock);
            let sums = content.kernels.entry(kernel.into()).or_default();
            sums.timed += 1;
            sums.time += time;
        });
    }

    /// Returns the clock that was used; `None` if no kernel was timed.
    pub fn clock(&self) -> Option<Clock> {
        self.with(|content| content.clock)
    }

    /// Returns all kernels that were timed, the most expensive first.
    pub fn kernels(&self) -> Vec<KernelTime> {
        let mut rows: Vec<KernelTime> = self.with(|content| {
            let timed = content.kernels.iter().filter(|(_, sums)| sums.timed > 0);
            let row = |(kernel, sums): (&String, &Sums)| KernelTime {
                kernel: kernel.clone(),
                launches: sums.launches,
                timed: sums.timed,
                mean_seconds: sums.time.as_secs_f64() / sums.timed as f64,
                share: 0.0,
            };
            timed.map(row).collect()
        });
        let seconds = |row: &KernelTime| row.mean_seconds * row.launches as f64;
        let all: f64 = rows.iter().map(seconds).sum();
        for row in &mut rows {
            row.share = seconds(row) / all.max(f64::MIN_POSITIVE);
        }
        rows.sort_by(|one, other| other.share.total_cmp(&one.share));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_launches_that_were_not_timed() {
        let profile = Profile::default();
        for _ in 0..3 {
            profile.launched("often");
        }
        profile.launched("once");
        profile.launched("never timed");
        profile.timed(Clock::Device, "often", Duration::from_micros(100));
        profile.timed(Clock::Device, "once", Duration::from_micros(100));
        let kernels = profile.kernels();
        let names: Vec<_> =
            kernels.iter().map(|row| (row.kernel.as_str(), row.launches, row.timed)).collect();
        assert_eq!(names, [("often", 3, 1), ("once", 1, 1)]);
        assert!((kernels[0].share - 0.75).abs() < 1e-12 && (kernels[1].share - 0.25).abs() < 1e-12);
        assert_eq!(profile.clock(), Some(Clock::Device));
    }
}
