//! `shadegrad bench`: measures the speed of a device.

use clap::Args;
use serde::Serialize;

use super::device_choice::DeviceFlags;
use super::signals::stop_on_signals;
use super::spinner::spinner;
use super::style::Style;
use super::{output, values};
use crate::bench::kernels::{self, Kernel, Kernels};
use crate::bench::training::{self, Training, Workload};
use crate::data::fetch::{FetchOptions, load_or_fetch};
use crate::data::{Dataset, Search, Wanted, load};
use crate::device::{DeviceInfo, DeviceKind};
use crate::error::Result;

const EXAMPLES: &str = "Examples:
  shadegrad bench                          # kernels, then training
  shadegrad bench --kernels --device cpu
  shadegrad bench --training --json | jq '.training[].images_per_second.median'";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct BenchArguments {
    #[command(flatten)]
    device: DeviceFlags,

    /// Measure only single ops, in the shapes of training steps
    #[arg(long)]
    kernels: bool,

    /// Measure only training runs (CIFAR-10 only if it is on this machine)
    #[arg(long)]
    training: bool,

    /// Time to measure each op for
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5, value_parser = values::seconds, allow_negative_numbers = true)]
    seconds: f64,

    /// Folder of known data sets, instead of the usual places
    #[arg(long, value_name = "DIR")]
    data_dir: Option<std::path::PathBuf>,

    /// Print a JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// The results of a benchmark.
#[derive(Debug, Serialize)]
struct Report<'a> {
    device: &'a DeviceInfo,
    /// Whether this is a debug build, whose figures say little about a release build.
    optimised: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernels: Option<Kernels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<Vec<Training>>,
}

pub(super) fn run(arguments: &BenchArguments) -> Result<()> {
    let both = arguments.kernels == arguments.training;
    let runs = if both || arguments.training { workloads(arguments)? } else { Vec::new() };
    let device = arguments.device.open()?;
    let stop = stop_on_signals()?;
    let bar = spinner();
    let next = |what: &str| {
        bar.set_message(what.to_owned());
        bar.tick();
        stop.check("the end of the measurements")
    };
    let mut report =
        Report { device: device.info(), optimised: !cfg!(debug_assertions), kernels: None, training: None };
    if both || arguments.kernels {
        report.kernels = Some(kernels::measure(&*device, arguments.seconds, next)?);
    }
    if both || arguments.training {
        let measure = |(workload, dataset): (Workload, Dataset)| {
            next(workload.name)?;
            training::measure(&workload, dataset, &*device, &stop)
        };
        report.training = Some(runs.into_iter().map(measure).collect::<Result<_>>()?);
    }
    bar.finish_and_clear();
    if arguments.json { output::print_json("bench", &report) } else { output::print(&tables(&report)) }
}

/// Returns the runs to measure, with their data.
fn workloads(arguments: &BenchArguments) -> Result<Vec<(Workload, Dataset)>> {
    let search = Search::from_environment(arguments.data_dir.clone());
    let first = training::FASHION_MNIST;
    let mut runs =
        vec![(first, load_or_fetch(first.data, &search, &Wanted::default(), &FetchOptions::default())?)];
    let second = training::CIFAR10;
    // A benchmark should not download 170 MB.
    if let Some(set) = search.catalogue.find(second.data)
        && search.locate(set)?.is_some()
    {
        runs.push((second, load(second.data, &search, &Wanted::default())?));
    }
    Ok(runs)
}

fn tables(report: &Report<'_>) -> String {
    let style = Style::of_stdout();
    let DeviceInfo { name, backend, driver, kind, .. } = report.device;
    let kind = match kind {
        DeviceKind::Software => "software: a driver that computes on the CPU".into(),
        kind => kind.name().into(),
    };
    let mut text = String::new();
    for (title, value) in
        [("device", format!("{name} ({backend})")), ("driver", driver.clone()), ("type", kind)]
    {
        text.push_str(&format!("{} {value}\n", style.faint(&format!("{title:<7}"))));
    }
    if !report.optimised {
        text.push_str("this is a debug build: a release build is much faster\n");
    }
    if let Some(kernels) = &report.kernels {
        let header = format!(
            "{:<15} {:>15} {:>12} {:>23} {:>15} {:>8}  {}",
            "op", "shape", "median µs", "min – max µs", "speed", "of peak", "kernel"
        );
        text.push_str(&format!(
            "\npeak {:.1} GFLOP/s, multiply-adds between registers\n\n{}\n",
            kernels.peak_gflops,
            style.strong(&header)
        ));
        kernels.ops.iter().for_each(|kernel| text.push_str(&row(kernel)));
    }
    if let Some(training) = &report.training {
        let header = format!("{:<36} {:>10} {:>23}", "training", "images/s", "min – max");
        text.push_str(&format!("\n{}\n", style.strong(&header)));
        for run in training {
            let speed = run.images_per_second;
            let range = format!("{:.0} – {:.0}", speed.min, speed.max);
            text.push_str(&format!("{:<36} {:>10.0} {range:>23}\n", run.name, speed.median));
        }
    }
    text
}

fn row(kernel: &Kernel) -> String {
    let [median, min, max] =
        [kernel.seconds.median, kernel.seconds.min, kernel.seconds.max].map(|seconds| 1e6 * seconds);
    let range = format!("{min:.2} – {max:.2}");
    let speed = match (kernel.gflops, kernel.gigabytes_per_second) {
        (Some(gflops), _) => format!("{gflops:.1} GFLOP/s"),
        (None, Some(gigabytes)) => format!("{gigabytes:.1} GB/s"),
        (None, None) => String::new(),
    };
    let share = kernel.peak_share.map(|share| format!("{:.1}%", 100.0 * share)).unwrap_or_default();
    let line = format!(
        "{:<15} {:>15} {median:>12.2} {range:>23} {speed:>15} {share:>8}  {}",
        kernel.op,
        kernel.shape,
        kernel.kernels.join(" + ")
    );
    format!("{}\n", line.trim_end())
}
