//! Opens a device and applies the cached results of tuning and selftests.

use std::path::PathBuf;

use super::choice::{Choice, Listed, Selection, select};
use super::cpu::Cpu;
use super::gpu::Gpu;
use super::gpu::adapter::{Capabilities, FoundAdapter, adapters};
use super::gpu::preparation::Observer;
use super::gpu::tuner::Tuning;
use super::interface::Device;
use super::notice::Notice;
use super::profile::Profile;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::user_cache;
use crate::remedy::Remedy;

/// Options for opening a device.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether to benchmark a GPU's kernels and use the fastest, instead of picking them by
    /// heuristics. The choice affects the speed but not the results.
    pub tune: bool,
    /// Whether to disable kernels that the last selftest of the GPU found wrong.
    pub disable_wrong_kernels: bool,
    /// Folder for cached results of tuning and selftests; `None` disables caching.
    pub cache: Option<PathBuf>,
    /// Collects the times of kernels.
    pub profile: Option<Profile>,
    /// Creates an observer for the preparation of plans on a GPU, which may take minutes.
    pub observer: Option<fn() -> Box<dyn Observer>>,
    /// Receives notices for the user.
    pub on_notice: fn(&Notice),
}

impl Default for Options {
    /// Enables tuning, disables wrong kernels, and caches in the user's cache folder.
    fn default() -> Self {
        Options {
            tune: true,
            disable_wrong_kernels: true,
            cache: user_cache(),
            profile: None,
            observer: None,
            on_notice: |_| {},
        }
    }
}

impl Options {
    /// Opens a device. Adapters are enumerated only if the choice may be a GPU.
    ///
    /// # Errors
    /// [`ErrorKind::Device`] if the choice matches no device or more than one, or the driver fails;
    /// [`ErrorKind::Parity`] if the last selftest found an op that is wrong in every variant.
    pub fn open(&self, choice: &Choice) -> Result<Box<dyn Device>> {
        if *choice == Choice::Cpu {
            return Ok(self.cpu());
        }
        let found = adapters();
        let listed: Vec<Listed<'_>> = found.iter().map(Listed::from).collect();
        let Selection { adapter, notice } = select(choice, &listed)?;
        if let Some(notice) = notice {
            (self.on_notice)(&notice);
        }
        match adapter {
            Some(index) => self.gpu(&found[index]),
            None => Ok(self.cpu()),
        }
    }

    /// Opens the device with exactly this name and backend; `None` if there is no such device.
    pub(crate) fn open_exactly(&self, name: &str, backend: &str) -> Result<Option<Box<dyn Device>>> {
        // The name of the CPU contains the number of threads, which does not matter here.
        if backend == "cpu" {
            return Ok(Some(self.cpu()));
        }
        let found = adapters();
        let is_meant = |found: &&FoundAdapter| found.info.name == name && found.info.backend == backend;
        found.iter().find(is_meant).map(|found| self.gpu(found)).transpose()
    }

    fn cpu(&self) -> Box<dyn Device> {
        Box::new(match self.profile.clone() {
            Some(profile) => Cpu::new().with_profile(profile),
            None => Cpu::new(),
        })
    }

    fn gpu(&self, adapter: &FoundAdapter) -> Result<Box<dyn Device>> {
        let mut gpu = Gpu::open(adapter, Capabilities::Adapter)?.on_notice(self.on_notice);
        if self.disable_wrong_kernels {
            gpu = self.with_verdict(gpu)?;
        }
        if self.tune {
            gpu = gpu.with_tuning(Tuning { folder: self.cache.clone() });
        }
        if let Some(profile) = self.profile.clone() {
            gpu = gpu.with_profile(profile);
        }
        if let Some(observer) = self.observer {
            gpu = gpu.observed_by(observer());
        }
        Ok(Box::new(gpu))
    }

    /// Disables the kernels that the last selftest of the GPU found wrong.
    fn with_verdict(&self, gpu: Gpu) -> Result<Gpu> {
        let Some(verdict) = self.cache.as_deref().and_then(|folder| gpu.cached_verdict(folder)) else {
            (self.on_notice)(&Notice::Untested);
            return Ok(gpu);
        };
        if !verdict.broken.is_empty() {
            let message = format!("{}: {}", gpu.info().name, verdict.summary());
            return Err(Error::new(ErrorKind::Parity, message).advise(Remedy::UpdateDriver));
        }
        (self.on_notice)(&Notice::Tested(verdict.clone()));
        Ok(gpu.with_selftest(verdict.into()))
    }
}
