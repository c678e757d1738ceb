//! An open adapter, shared by sessions.

use super::cache::Subject;
use super::faults::Faults;
use super::preparation;
use super::tuner::Tuning;
use crate::device::info::DeviceInfo;
use crate::device::notice::Notice;
use crate::device::profile::Profile;

/// An open adapter and the limits and features that it was opened with.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) faults: Faults,
    pub(super) info: DeviceInfo,
    /// The properties that the choice of kernels depends on.
    pub(super) subject: Subject,
    pub(super) tuning: Option<Tuning>,
    pub(super) on_notice: fn(&Notice),
    pub(super) observer: Option<Box<dyn preparation::Observer>>,
    pub(super) profile: Option<Profile>,
}

impl Context {
    /// Returns the maximum number of bytes of one tensor.
    pub(super) fn largest_tensor(&self) -> usize {
        let limits = self.device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        // The size of a binding must be a multiple of 4.
        usize::try_from(most).unwrap_or(usize::MAX) / 4 * 4
    }
}
