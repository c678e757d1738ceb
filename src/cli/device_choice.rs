//! `--device` and `--no-tune`, and the notices that are printed when a device is opened.

use clap::Args;

use super::output;
use super::preparation_line::PreparationLine;
use crate::config::Key;
use crate::device::gpu::adapter::driver_advice;
use crate::device::gpu::preparation::Observer;
use crate::device::profile::Profile;
use crate::device::{Choice, Device, Notice, Options};
use crate::error::Result;
use crate::run::record::RecordedDevice;

/// The device flags of commands that take no other settings.
#[derive(Args, Clone, Debug)]
pub(super) struct DeviceFlags {
    /// Device to compute on: auto, cpu, gpu, an index or part of a name
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,

    /// Pick GPU kernels by heuristics instead of benchmarking them first
    #[arg(long)]
    no_tune: bool,
}

impl DeviceFlags {
    /// Returns flags that name no device, so that a run resumes on the device that it began on.
    pub(super) fn recorded(tune: bool) -> Self {
        DeviceFlags { device: None, no_tune: !tune }
    }

    /// Opens the device that the flag names, else the one in the environment, else the best one.
    pub(super) fn open(&self) -> Result<Box<dyn Device>> {
        self.options(None, false).open(&self.choice())
    }

    /// Opens the same device as [`open`](DeviceFlags::open), without disabling the kernels that a
    /// selftest found wrong.
    pub(super) fn open_with_all_kernels(&self) -> Result<Box<dyn Device>> {
        Options { disable_wrong_kernels: false, ..self.options(None, false) }.open(&self.choice())
    }

    /// Opens the device that the flag names, else the one that a run began on. Its kernel times are
    /// added to `profile`. If `quiet`, no progress is shown.
    pub(super) fn open_again(
        &self,
        recorded: &RecordedDevice,
        profile: Option<Profile>,
        quiet: bool,
    ) -> Result<Box<dyn Device>> {
        let options = Options { on_notice: print, ..self.options(profile, quiet) };
        match &self.device {
            Some(wanted) => options.open(&Choice::from(wanted.as_str())),
            None => recorded.open(&options),
        }
    }

    fn choice(&self) -> Choice {
        let environment = || Key::Device.environment().and_then(|variable| std::env::var(variable).ok());
        let said = self.device.clone().or_else(environment).filter(|text| !text.is_empty());
        said.as_deref().map_or(Choice::Auto, Choice::from)
    }

    fn options(&self, profile: Option<Profile>, quiet: bool) -> Options {
        Options { on_notice: print_major, ..run_options(!self.no_tune, profile, quiet) }
    }
}

/// Returns the options with which a run opens its device: all notices are printed.
pub(super) fn run_options(tune: bool, profile: Option<Profile>, quiet: bool) -> Options {
    let observer = (!quiet).then_some(preparation_line as fn() -> Box<dyn Observer>);
    Options { tune, profile, observer, on_notice: print, ..Options::default() }
}

/// Creates a line that shows the progress of preparing a plan.
pub(super) fn preparation_line() -> Box<dyn Observer> {
    Box::new(PreparationLine::default())
}

/// Prints a notice, unless it matters only at the start of a run.
pub(super) fn print_major(notice: &Notice) {
    if !notice.is_minor() {
        print(notice);
    }
}

pub(super) fn print(notice: &Notice) {
    output::print_note(&format!("note: {}\n", words(notice)));
}

fn words(notice: &Notice) -> String {
    match notice {
        Notice::OnlySoftware(_) => format!("{notice} (use it with --device 0)"),
        Notice::NoGpu => format!("{notice}; {}; or use --device cpu", driver_advice()),
        Notice::SoftwareGpu(_) => format!("{notice} than --device cpu"),
        Notice::Untested => format!("{notice}; run `shadegrad selftest` to verify its kernels"),
        Notice::Tuning(gpu) => format!("tuning kernels for {gpu} (one-time; skip with --no-tune)"),
        Notice::Tested(_) | Notice::WrongMatrices { .. } | Notice::NotCached(_) => notice.to_string(),
    }
}
