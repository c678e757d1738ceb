//! `--device` and `--no-tune`, and what there is to say when a device is opened.

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

/// The device of a command that takes no other setting.
#[derive(Args, Clone, Debug)]
pub(super) struct DeviceFlags {
    /// What to compute on: auto, cpu, gpu, an index or part of a name
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,

    /// Choose a GPU's kernels by rule instead of by measuring which are fastest
    #[arg(long)]
    no_tune: bool,
}

impl DeviceFlags {
    /// As if no device were named: a run resumes on the one that it began on.
    pub(super) fn recorded(tune: bool) -> Self {
        DeviceFlags { device: None, no_tune: !tune }
    }

    /// Opens the device that the flag names, else the environment, else the best one.
    ///
    /// # Errors
    /// As [`Options::open`].
    pub(super) fn open(&self) -> Result<Box<dyn Device>> {
        self.options(None, false).open(&self.choice())
    }

    /// As [`open`](DeviceFlags::open), with all kernels, also those that a selftest found wrong.
    ///
    /// # Errors
    /// As [`Options::open`].
    pub(super) fn open_with_all_kernels(&self) -> Result<Box<dyn Device>> {
        Options { disable_wrong_kernels: false, ..self.options(None, false) }.open(&self.choice())
    }

    /// Opens the device that the flag names, else the one that a run began on. It adds its times to
    /// `profile`, and shows no progress if it is to be `quiet`.
    ///
    /// # Errors
    /// As [`Options::open`] and [`RecordedDevice::open`].
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

/// How a run opens its device: everything that is to be known of the device is printed.
pub(super) fn run_options(tune: bool, profile: Option<Profile>, quiet: bool) -> Options {
    let observer = (!quiet).then_some(preparation_line as fn() -> Box<dyn Observer>);
    Options { tune, profile, observer, on_notice: print, ..Options::default() }
}

/// Makes a line that shows the preparation of plans.
pub(super) fn preparation_line() -> Box<dyn Observer> {
    Box::new(PreparationLine::default())
}

/// Prints a notice, unless it matters only at the start of a run.
pub(super) fn print_major(notice: &Notice) {
    if !notice.is_minor() {
        print(notice);
    }
}

/// Prints a notice.
pub(super) fn print(notice: &Notice) {
    output::print_note(&format!("note: {}\n", words(notice)));
}

fn words(notice: &Notice) -> String {
    match notice {
        Notice::OnlySoftware(_) => format!("{notice} (--device 0 takes it)"),
        Notice::NoGpu => format!("{notice}; {}; or use --device cpu", driver_advice()),
        Notice::SoftwareGpu(_) => format!("{notice} than --device cpu"),
        Notice::Untested => format!("{notice}: `shadegrad selftest` does"),
        Notice::Tuning(gpu) => format!("tuning kernels for {gpu} (one-time; skip with --no-tune)"),
        Notice::Tested(_) | Notice::WrongMatrices { .. } | Notice::NotCached(_) => notice.to_string(),
    }
}
