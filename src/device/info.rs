//! What a device is: its kind, name, backend and driver.

use super::verdict::SelftestSummary;

/// What kind of processor a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the computer's memory.
    Integrated,
    /// A GPU passed through to a virtual machine.
    Virtual,
    /// A driver that runs shaders on the processor.
    Software,
    /// The processor itself, without shaders.
    Cpu,
    /// The driver does not say.
    Other,
}

/// Identity of a device.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeviceInfo {
    /// The adapter's name.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `cpu`.
    pub backend: String,
    /// Driver name and version.
    pub driver: String,
    /// Kind of processor.
    #[serde(rename = "type")]
    pub kind: DeviceKind,
    /// What the last selftest found, if its verdict is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selftest: Option<SelftestSummary>,
}
