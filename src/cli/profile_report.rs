//! Prints the result of `train --profile`: a table of kernels, or a JSON object.

use super::output;
use super::style::Style;
use crate::device::profile::{Clock, KernelTime, Profile};
use crate::error::Result;
use serde::Serialize;

#[derive(Serialize)]
struct Report {
    clock: Option<Clock>,
    kernels: Vec<KernelTime>,
}

/// Prints the time of each kernel, the most expensive first.
pub(super) fn print(profile: &Profile, json: bool) -> Result<()> {
    let report = Report { clock: profile.clock(), kernels: profile.kernels() };
    if json { output::print_json("profile", &report) } else { output::print(&table(&report)) }
}

fn table(report: &Report) -> String {
    let clock = match report.clock {
        None => return "\nno kernel was timed\n".into(),
        Some(Clock::Device) => "measured with the device's clock",
        Some(Clock::Host) => "measured with the host's clock",
    };
    let width = report.kernels.iter().map(|row| row.kernel.len()).max().unwrap_or(0).max(6);
    let header = format!("{:<width$} {:>10} {:>10} {:>7}", "kernel", "launches", "mean µs", "share");
    let mut text = format!("\n{} {clock}\n", Style::of_stdout().strong(&header));
    for KernelTime { kernel, launches, mean_seconds, share, .. } in &report.kernels {
        let (mean, share) = (1e6 * mean_seconds, 100.0 * share);
        text.push_str(&format!("{kernel:<width$} {launches:>10} {mean:>10.1} {share:>6.1}%\n"));
    }
    text
}
