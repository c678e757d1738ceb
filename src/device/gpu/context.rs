//! An opened adapter, as sessions use it.

use super::cache::Subject;
use super::faults::Faults;
use super::preparation;
use super::tuner::Tuning;
use crate::device::info::DeviceInfo;
use crate::device::notice::Notice;
use crate::device::profile::Profile;

/// An opened adapter and what was asked for when it was opened.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) faults: Faults,
    pub(super) info: DeviceInfo,
    /// What the choice of kernels depends on.
    pub(super) subject: Subject,
    pub(super) tuning: Option<Tuning>,
    pub(super) on_notice: fn(&Notice),
    pub(super) observer: Option<Box<dyn preparation::Observer>>,
    pub(super) profile: Option<Profile>,
}

impl Context {
    /// Most bytes of one tensor.
    pub(super) fn largest_tensor(&self) -> usize {
        let limits = self.device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        // A binding's size is a multiple of 4.
        usize::try_from(most).unwrap_or(usize::MAX) / 4 * 4
    }
}
