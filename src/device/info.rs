//! The identity of a device: kind, name, backend and driver.

use super::verdict::SelftestSummary;
use crate::text::named::named;

named! {
    /// The kind of processor of a device.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum DeviceKind {
        /// A GPU with memory of its own.
        Discrete = "discrete",
        /// A GPU that shares the host's memory.
        Integrated = "integrated",
        /// A virtual GPU of a virtual machine.
        Virtual = "virtual",
        /// A driver that runs shaders on the CPU.
        Software = "software",
        /// The CPU itself, without shaders.
        Cpu = "cpu",
        /// The driver does not report the kind.
        Other = "other",
    }
}

/// The identity of a device.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeviceInfo {
    /// Name of the adapter.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `cpu`.
    pub backend: String,
    /// Name and version of the driver.
    pub driver: String,
    /// Kind of processor.
    #[serde(rename = "type")]
    pub kind: DeviceKind,
    /// The result of the last selftest, if its verdict is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selftest: Option<SelftestSummary>,
}

#[cfg(test)]
impl DeviceInfo {
    /// A device whose driver is unknown.
    pub(in crate::device) fn named(name: &str, backend: &str, kind: DeviceKind) -> Self {
        DeviceInfo { name: name.into(), backend: backend.into(), driver: String::new(), kind, selftest: None }
    }
}
