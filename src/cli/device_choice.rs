//! What `--device` names: `auto`, `cpu`, `gpu`, an index or part of a name.

use clap::Args;

use super::output;
use super::preparation_line::PreparationLine;
use crate::config::Key;
use crate::data::locate::user_cache;
use crate::device::cpu::Cpu;
use crate::device::gpu::Gpu;
use crate::device::gpu::adapter::{Capabilities, FoundAdapter, adapters, no_adapter_advice};
use crate::device::gpu::tuner::Tuning;
use crate::device::profile::Profile;
use crate::device::{Device, DeviceInfo, DeviceKind, Selftested};
use crate::error::{Error, ErrorKind, Result};
use crate::run::record::RecordedDevice;
use crate::selftest::Verdict;
use crate::text::suggest::nearest;

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
    /// As if no device were named: the one that a run began on.
    pub(super) fn recorded(tune: bool) -> Self {
        DeviceFlags { device: None, no_tune: !tune }
    }

    /// Opens what the flag names, else the environment, else the best device.
    ///
    /// # Errors
    /// As [`Opening::open`].
    pub(super) fn open(&self) -> Result<Box<dyn Device>> {
        self.open_heeding(Selftest::Heed)
    }

    /// As [`DeviceFlags::open`], but for what becomes of what a selftest has found.
    ///
    /// # Errors
    /// As [`Opening::open`].
    pub(super) fn open_heeding(&self, selftest: Selftest) -> Result<Box<dyn Device>> {
        let environment = || Key::Device.environment().and_then(|variable| std::env::var(variable).ok());
        let said = self.device.clone().or_else(environment).filter(|text| !text.is_empty());
        Opening { selftest, ..self.opening(None) }.open(said.as_deref().unwrap_or("auto"))
    }

    /// Opens what the flag names, else the device that a run began on; that adds its times to
    /// `profile`, and shows no progress if it is to be `quiet`.
    ///
    /// # Errors
    /// As [`Opening::open`] and [`Opening::open_again`].
    pub(super) fn open_again(
        &self,
        recorded: &RecordedDevice,
        profile: Option<Profile>,
        quiet: bool,
    ) -> Result<Box<dyn Device>> {
        let opening = Opening { selftest: Selftest::Tell, quiet, ..self.opening(profile) };
        match &self.device {
            Some(wanted) => opening.open(wanted),
            None => opening.open_again(recorded),
        }
    }

    fn opening(&self, profile: Option<Profile>) -> Opening {
        Opening { tune: !self.no_tune, profile, ..Opening::default() }
    }
}

/// How a device is opened.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// Whether a GPU may measure which kernels suit it.
    pub(super) tune: bool,
    /// Told where the time goes.
    pub(super) profile: Option<Profile>,
    /// What becomes of what a selftest has found.
    pub(super) selftest: Selftest,
    /// Whether the progress of compiling stays hidden.
    pub(super) quiet: bool,
}

/// What a command makes of what a GPU's last selftest found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Selftest {
    /// Says it in a line, or that there was none; does without kernels that are wrong.
    Tell,
    /// Does without kernels that are wrong, and says so only then.
    #[default]
    Heed,
    /// Takes every kernel: to test them again.
    Ignore,
}

impl Opening {
    /// Opens what `wanted` names. Looks for GPUs only where one may be used.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device), with what there is, where nothing or more than
    /// one thing has the name.
    pub(super) fn open(self, wanted: &str) -> Result<Box<dyn Device>> {
        if wanted.eq_ignore_ascii_case("cpu") {
            return Ok(self.cpu());
        }
        let found = adapters();
        let listed: Vec<Listed<'_>> = found.iter().map(Listed::from).collect();
        let Selection { adapter, note } = select(wanted, &listed)?;
        if let Some(note) = note {
            output::print_note(&format!("note: {note}\n"));
        }
        match adapter {
            Some(index) => self.gpu(&found[index]),
            None => Ok(self.cpu()),
        }
    }

    /// Opens the device that a run began on.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device), with what there is, where it is not here.
    fn open_again(self, recorded: &RecordedDevice) -> Result<Box<dyn Device>> {
        if recorded.backend == "cpu" {
            return self.open("cpu");
        }
        let found = adapters();
        let is_same = |info: &DeviceInfo| info.name == recorded.name && info.backend == recorded.backend;
        match found.iter().find(|adapter| is_same(&adapter.info)) {
            Some(adapter) => self.gpu(adapter),
            None => Err(Error::device(format!("the run began on {recorded}, which is not here"))
                .advise("name another with --device: the run then goes on, but differs by rounding")),
        }
    }

    fn cpu(self) -> Box<dyn Device> {
        Box::new(match self.profile {
            Some(profile) => Cpu::new().with_profile(profile),
            None => Cpu::new(),
        })
    }

    fn gpu(self, adapter: &FoundAdapter) -> Result<Box<dyn Device>> {
        let tell = |line: &str| output::print_note(&format!("note: {line}\n"));
        let mut gpu = Gpu::open(adapter, Capabilities::Adapter)?.telling(tell);
        if self.selftest != Selftest::Ignore {
            gpu = self.selftest.apply(gpu)?;
        }
        if self.tune {
            gpu = gpu.with_tuning(Tuning { folder: user_cache() });
        }
        if let Some(profile) = self.profile {
            gpu = gpu.with_profile(profile);
        }
        if !self.quiet {
            gpu = gpu.observed_by(Box::new(PreparationLine::default()));
        }
        Ok(Box::new(gpu))
    }
}

impl Selftest {
    /// The GPU without the kernels that its last selftest found wrong.
    ///
    /// # Errors
    /// [`ErrorKind::Parity`](crate::ErrorKind::Parity) where nothing could take a wrong kernel's place.
    fn apply(self, gpu: Gpu) -> Result<Gpu> {
        let verdict: Option<Verdict> = user_cache().and_then(|folder| gpu.selftest_memory(&folder).recall());
        let Some(verdict) = verdict else {
            if self == Selftest::Tell {
                output::print_note(
                    "note: this GPU's kernels were not compared with the CPU yet: `shadegrad selftest` does\n",
                );
            }
            return Ok(gpu);
        };
        if !verdict.broken.is_empty() {
            return Err(Error::new(ErrorKind::Parity, format!("{}: {}", gpu.info().name, verdict.summary()))
                .advise("use --device cpu; after an update of the driver run `shadegrad selftest` again"));
        }
        if self == Selftest::Tell || !verdict.is_clean() {
            output::print_note(&format!("note: {}\n", verdict.summary()));
        }
        let Verdict { date, checks, failures, barred: without, .. } = verdict;
        Ok(gpu.heeding(Selftested { date, checks, failures, without }))
    }
}

/// Which adapter to use, or the CPU.
#[derive(Debug, PartialEq)]
struct Selection {
    /// `None` is the CPU.
    adapter: Option<usize>,
    note: Option<String>,
}

/// An adapter as a name can choose it.
#[derive(Clone, Debug)]
struct Listed<'a> {
    info: &'a DeviceInfo,
    /// The same GPU through another backend, which is preferred.
    same_gpu_as: Option<usize>,
}

impl<'a> From<&'a FoundAdapter> for Listed<'a> {
    fn from(found: &'a FoundAdapter) -> Self {
        Listed { info: &found.info, same_gpu_as: found.same_gpu_as }
    }
}

/// `found` has the best adapter first.
fn select(wanted: &str, found: &[Listed<'_>]) -> Result<Selection> {
    let use_adapter = |index: usize| Ok(Selection { adapter: Some(index), note: None });
    let best = found.first().map(|listed| listed.info);
    match wanted.to_lowercase().as_str() {
        "auto" => match best {
            Some(best) if best.kind != DeviceKind::Software => use_adapter(0),
            Some(best) => use_cpu(format!(
                "using the CPU: the only GPU driver is {}, which computes on the CPU but slower (--device 0 takes it)",
                best.name
            )),
            None => use_cpu(format!("using the CPU: no GPU was found; {}", no_adapter_advice())),
        },
        "gpu" => match best {
            Some(best) if best.kind != DeviceKind::Software => use_adapter(0),
            Some(best) => Ok(Selection {
                adapter: Some(0),
                note: Some(format!(
                    "{} is no GPU: it computes on the CPU, and slower than --device cpu",
                    best.name
                )),
            }),
            None => Err(Error::device("no GPU was found").advise(no_adapter_advice())),
        },
        name => match name.parse::<usize>() {
            Ok(index) if index < found.len() => use_adapter(index),
            Ok(index) => Err(none_such(format!("there is no device {index}"), found)),
            Err(_) => by_name(name, found),
        },
    }
}

fn use_cpu(note: String) -> Result<Selection> {
    Ok(Selection { adapter: None, note: Some(note) })
}

fn by_name(name: &str, found: &[Listed<'_>]) -> Result<Selection> {
    let has_name = |index: usize| found[index].info.name.to_lowercase().contains(name);
    // One GPU through two backends has one name twice, and is meant once.
    let is_meant = |&index: &usize| has_name(index) && !found[index].same_gpu_as.is_some_and(has_name);
    let matching: Vec<_> = (0..found.len()).filter(is_meant).collect();
    match matching[..] {
        [index] => Ok(Selection { adapter: Some(index), note: None }),
        [] => {
            let message = match nearest(name, ["auto", "cpu", "gpu"]) {
                Some(meant) => format!("no device is called `{name}`; did you mean `{meant}`?"),
                None => format!("no device is called `{name}`"),
            };
            Err(none_such(message, found))
        }
        _ => {
            let described = |index: usize| (index.to_string(), describe(index, found[index].info));
            let (indices, names): (Vec<_>, Vec<_>) = matching.into_iter().map(described).unzip();
            let message = format!("more than one device is called `{name}`: {}", names.join(", "));
            Err(Error::device(message).advise(format!("name one by its index: {}", indices.join(", "))))
        }
    }
}

fn none_such(message: String, found: &[Listed<'_>]) -> Error {
    let described = found.iter().enumerate().map(|(index, listed)| describe(index, listed.info));
    let there: Vec<_> = described.collect();
    let error = Error::device(message);
    if there.is_empty() {
        error.advise("there is only cpu: no GPU was found (see `shadegrad devices`)")
    } else {
        error.advise(format!("there are cpu, {} (see `shadegrad devices`)", there.join(", ")))
    }
}

fn describe(index: usize, info: &DeviceInfo) -> String {
    format!("{index} = {} ({})", info.name, info.backend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn info(name: &str, kind: DeviceKind) -> DeviceInfo {
        DeviceInfo {
            name: name.into(),
            backend: "vulkan".into(),
            driver: String::new(),
            kind,
            selftest: None,
        }
    }

    /// None of them is the same GPU as another.
    fn listed(infos: &[DeviceInfo]) -> Vec<Listed<'_>> {
        infos.iter().map(|info| Listed { info, same_gpu_as: None }).collect()
    }

    fn machine() -> Vec<DeviceInfo> {
        vec![
            info("NVIDIA H100", DeviceKind::Discrete),
            info("NVIDIA T4", DeviceKind::Discrete),
            info("Intel UHD", DeviceKind::Integrated),
            info("llvmpipe", DeviceKind::Software),
        ]
    }

    #[test]
    fn words_indices_and_parts_of_names_choose() {
        for (wanted, index) in
            [("auto", 0), ("gpu", 0), ("GPU", 0), ("2", 2), ("t4", 1), ("UHD", 2), ("llvm", 3)]
        {
            let expected = Selection { adapter: Some(index), note: None };
            assert_eq!(select(wanted, &listed(&machine())).expect("it is there"), expected, "{wanted}");
        }
    }

    #[test]
    fn what_is_not_there_is_a_device_error_that_lists_what_is() {
        for wanted in ["4", "99999999999999999999", "radeon", "nvidia"] {
            let error = select(wanted, &listed(&machine())).expect_err(wanted);
            assert_eq!(error.kind(), ErrorKind::Device);
            let all = format!("{error} {}", error.advice().expect("there is advice"));
            assert!(all.contains("NVIDIA T4") && all.contains('1'), "{all}");
        }
        let error = select("nvidia", &listed(&machine())).expect_err("there are two");
        assert_eq!(error.advice(), Some("name one by its index: 0, 1"));
        assert!(
            select("gpuu", &listed(&machine()))
                .expect_err("no such")
                .to_string()
                .contains("did you mean `gpu`")
        );
    }

    #[test]
    fn a_software_driver_is_never_taken_in_silence() {
        let software = [info("llvmpipe", DeviceKind::Software)];
        let auto = select("auto", &listed(&software)).expect("the CPU is there");
        assert_eq!(auto.adapter, None);
        assert!(auto.note.expect("it says why").contains("llvmpipe"));
        let gpu = select("gpu", &listed(&software)).expect("it will do");
        assert_eq!(gpu.adapter, Some(0));
        assert!(gpu.note.expect("it says so").contains("llvmpipe"));
    }

    #[test]
    fn without_any_gpu_auto_takes_the_cpu_and_gpu_fails() {
        let auto = select("auto", &[]).expect("the CPU is there");
        assert_eq!(auto.adapter, None);
        assert!(auto.note.is_some());
        for wanted in ["gpu", "0", "nvidia"] {
            assert_eq!(select(wanted, &[]).expect_err(wanted).kind(), ErrorKind::Device);
        }
    }
    #[test]
    fn one_gpu_through_two_backends_is_taken_through_the_preferred_one() {
        let through =
            |backend: &str| DeviceInfo { backend: backend.into(), ..info("NVIDIA T4", DeviceKind::Discrete) };
        let infos = [through("vulkan"), through("dx12"), info("Intel UHD", DeviceKind::Integrated)];
        let mut found = listed(&infos);
        found[1].same_gpu_as = Some(0);
        for (wanted, index) in [("auto", 0), ("gpu", 0), ("t4", 0), ("nvidia", 0), ("1", 1), ("uhd", 2)] {
            let expected = Selection { adapter: Some(index), note: None };
            assert_eq!(select(wanted, &found).expect("it is there"), expected, "{wanted}");
        }
        // Where WGPU_BACKEND leaves only DX12, that is what there is.
        let dx12 = listed(&infos[1..2]);
        for wanted in ["auto", "gpu", "t4", "0"] {
            let expected = Selection { adapter: Some(0), note: None };
            assert_eq!(select(wanted, &dx12).expect("it is there"), expected, "{wanted}");
        }
    }

    #[test]
    fn two_gpus_of_one_model_are_still_two() {
        let infos = machine();
        let twins = [&infos[1], &infos[1], &infos[1], &infos[1]];
        let through_dx12 = [None, None, Some(0), Some(1)];
        let both = twins.into_iter().zip(through_dx12);
        let found: Vec<_> = both.map(|(info, same_gpu_as)| Listed { info, same_gpu_as }).collect();
        let error = select("t4", &found).expect_err("there are two");
        assert_eq!(error.advice(), Some("name one by its index: 0, 1"));
    }
}
