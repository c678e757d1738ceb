//! Selects a device: the best one, the CPU, the best GPU, or one by index or name.

use super::gpu::adapter::{FoundAdapter, driver_advice};
use super::info::{DeviceInfo, DeviceKind};
use super::notice::Notice;
use crate::error::{Error, Result};
use crate::remedy::Remedy;
use crate::text::suggest::nearest;

/// A choice of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The best GPU, or the CPU if there is no hardware GPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The best GPU.
    Gpu,
    /// A GPU by its index in [`adapters`](super::gpu::adapter::adapters).
    Index(usize),
    /// A GPU by part of its name, ignoring case.
    Name(String),
}

impl From<&str> for Choice {
    /// Parses `auto`, `cpu`, `gpu`, an index, or part of a name, ignoring case.
    fn from(text: &str) -> Self {
        let text = text.to_lowercase();
        match (text.as_str(), text.parse()) {
            ("auto", _) => Choice::Auto,
            ("cpu", _) => Choice::Cpu,
            ("gpu", _) => Choice::Gpu,
            (_, Ok(index)) => Choice::Index(index),
            (_, Err(_)) => Choice::Name(text),
        }
    }
}

/// The selected adapter, or the CPU.
#[derive(Debug, PartialEq)]
pub(super) struct Selection {
    /// Index of the adapter; `None` for the CPU.
    pub(super) adapter: Option<usize>,
    /// A notice about the choice.
    pub(super) notice: Option<Notice>,
}

impl Selection {
    const fn of(adapter: Option<usize>, notice: Option<Notice>) -> Self {
        Selection { adapter, notice }
    }
}

/// An adapter that can be selected by name.
#[derive(Clone, Debug)]
pub(super) struct Listed<'a> {
    info: &'a DeviceInfo,
    /// Index of the same GPU through another backend, which is preferred.
    same_gpu_as: Option<usize>,
}

impl<'a> From<&'a FoundAdapter> for Listed<'a> {
    fn from(found: &'a FoundAdapter) -> Self {
        Listed { info: &found.info, same_gpu_as: found.same_gpu_as }
    }
}

/// Selects one of the adapters that were found, which are ordered from best to worst.
pub(super) fn select(choice: &Choice, found: &[Listed<'_>]) -> Result<Selection> {
    let best = found.first().map(|listed| listed.info);
    let is_software = best.is_some_and(|best| best.kind == DeviceKind::Software);
    match (choice, best) {
        (Choice::Cpu, _) => Ok(Selection::of(None, None)),
        (Choice::Auto | Choice::Gpu, Some(_)) if !is_software => Ok(Selection::of(Some(0), None)),
        (Choice::Auto, Some(best)) => Ok(Selection::of(None, Some(Notice::OnlySoftware(best.name.clone())))),
        (Choice::Auto, None) => Ok(Selection::of(None, Some(Notice::NoGpu))),
        (Choice::Gpu, Some(best)) => Ok(Selection::of(Some(0), Some(Notice::SoftwareGpu(best.name.clone())))),
        (Choice::Gpu, None) => {
            Err(Error::device("no GPU was found").advise(Remedy::InstallDriver(driver_advice())))
        }
        (&Choice::Index(index), _) if index < found.len() => Ok(Selection::of(Some(index), None)),
        (Choice::Index(index), _) => Err(none_such(format!("there is no device {index}"), found)),
        (Choice::Name(name), _) => by_name(name, found),
    }
}

fn by_name(name: &str, found: &[Listed<'_>]) -> Result<Selection> {
    let has_name = |index: usize| found[index].info.name.to_lowercase().contains(name);
    // The same GPU through two backends has the same name, and counts once.
    let is_meant = |&index: &usize| has_name(index) && !found[index].same_gpu_as.is_some_and(has_name);
    let matching: Vec<_> = (0..found.len()).filter(is_meant).collect();
    match matching[..] {
        [index] => Ok(Selection::of(Some(index), None)),
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
            Err(Error::device(message).advise(format!("choose one by its index: {}", indices.join(", "))))
        }
    }
}

fn none_such(message: String, found: &[Listed<'_>]) -> Error {
    let described = found.iter().enumerate().map(|(index, listed)| describe(index, listed.info));
    Error::device(message).advise(Remedy::ChooseDevice(described.collect()))
}

fn describe(index: usize, info: &DeviceInfo) -> String {
    format!("{index} = {} ({})", info.name, info.backend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::info::DeviceKind;
    use crate::error::ErrorKind;

    fn info(name: &str, kind: DeviceKind) -> DeviceInfo {
        DeviceInfo::named(name, "vulkan", kind)
    }

    fn chosen(wanted: &str, found: &[Listed<'_>]) -> Result<Selection> {
        select(&Choice::from(wanted), found)
    }

    /// Adapters that are all different GPUs.
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
            let expected = Selection { adapter: Some(index), notice: None };
            assert_eq!(chosen(wanted, &listed(&machine())).expect("it is there"), expected, "{wanted}");
        }
    }

    #[test]
    fn what_is_not_there_is_a_device_error_that_lists_what_is() {
        for wanted in ["4", "99999999999999999999", "radeon", "nvidia"] {
            let error = chosen(wanted, &listed(&machine())).expect_err(wanted);
            assert_eq!(error.kind(), ErrorKind::Device);
            let all = format!("{error} {}", error.advice().expect("there is advice"));
            assert!(all.contains("NVIDIA T4") && all.contains('1'), "{all}");
        }
        let error = chosen("nvidia", &listed(&machine())).expect_err("there are two");
        assert_eq!(error.advice().as_deref(), Some("choose one by its index: 0, 1"));
        assert!(
            chosen("gpuu", &listed(&machine()))
                .expect_err("no such")
                .to_string()
                .contains("did you mean `gpu`")
        );
    }

    #[test]
    fn a_software_driver_is_never_taken_in_silence() {
        let software = [info("llvmpipe", DeviceKind::Software)];
        let auto = chosen("auto", &listed(&software)).expect("the CPU is there");
        assert_eq!(auto.adapter, None);
        assert_eq!(auto.notice, Some(Notice::OnlySoftware("llvmpipe".into())));
        let gpu = chosen("gpu", &listed(&software)).expect("it will do");
        assert_eq!(gpu.adapter, Some(0));
        assert_eq!(gpu.notice, Some(Notice::SoftwareGpu("llvmpipe".into())));
    }

    #[test]
    fn without_any_gpu_auto_takes_the_cpu_and_gpu_fails() {
        let auto = chosen("auto", &[]).expect("the CPU is there");
        assert_eq!(auto.adapter, None);
        assert_eq!(auto.notice, Some(Notice::NoGpu));
        for wanted in ["gpu", "0", "nvidia"] {
            assert_eq!(chosen(wanted, &[]).expect_err(wanted).kind(), ErrorKind::Device);
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
            let expected = Selection { adapter: Some(index), notice: None };
            assert_eq!(chosen(wanted, &found).expect("it is there"), expected, "{wanted}");
        }
        // If WGPU_BACKEND selects only DX12, its adapter is used.
        let dx12 = listed(&infos[1..2]);
        for wanted in ["auto", "gpu", "t4", "0"] {
            let expected = Selection { adapter: Some(0), notice: None };
            assert_eq!(chosen(wanted, &dx12).expect("it is there"), expected, "{wanted}");
        }
    }

    #[test]
    fn two_gpus_of_one_model_are_still_two() {
        let infos = machine();
        let twins = [&infos[1], &infos[1], &infos[1], &infos[1]];
        let through_dx12 = [None, None, Some(0), Some(1)];
        let both = twins.into_iter().zip(through_dx12);
        let found: Vec<_> = both.map(|(info, same_gpu_as)| Listed { info, same_gpu_as }).collect();
        let error = chosen("t4", &found).expect_err("there are two");
        assert_eq!(error.advice().as_deref(), Some("choose one by its index: 0, 1"));
    }
}
