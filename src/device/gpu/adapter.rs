//! Enumerates, orders and opens GPU adapters.

use wgpu::{
    Adapter, AdapterInfo, Backend, Backends, CooperativeMatrixProperties, CooperativeScalarType, DeviceType,
    Instance, InstanceDescriptor,
};

use super::compiler::ShaderCompiler;
use super::preference::{self, Description};
use crate::device::info::{DeviceInfo, DeviceKind};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::kernel::{CooperativeMatrix, GpuFacts};
use crate::remedy::Remedy;

/// An adapter that was found but is not open.
#[derive(Clone, Debug)]
pub struct FoundAdapter {
    pub(super) instance: Instance,
    pub(super) adapter: Adapter,
    /// Identity of the adapter.
    pub info: DeviceInfo,
    /// PCI address, for example `0000:01:00.0`; empty if the driver does not report it.
    pub pci_bus: String,
    /// The compiler for its kernels.
    pub compiler: ShaderCompiler,
    /// Index of the same GPU through Vulkan, which is preferred, if this is a GPU through DX12.
    pub same_gpu_as: Option<usize>,
}

/// The limits and features of an adapter to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capabilities {
    /// The limits of the adapter, and every optional feature that kernels can use.
    #[default]
    Adapter,
    /// WebGPU's default limits and no optional features, which every adapter supports. For tests.
    WebGpuDefaults,
}

/// Returns all adapters of the supported backends (or of those in `WGPU_BACKEND`), the best first:
/// discrete, integrated, virtual, software. For the same GPU, Vulkan comes before DX12.
pub fn adapters() -> Vec<FoundAdapter> {
    if failpoint::strikes("no-adapter") {
        return Vec::new();
    }
    let wanted = settings().backends;
    let mut found = enumerate(wanted - Backends::DX12, &ShaderCompiler::Driver);
    if cfg!(windows) && wanted.contains(Backends::DX12) {
        found.extend(through_dx12());
    }
    in_order(found)
}

/// Returns the settings for wgpu, with those of the environment.
fn settings() -> InstanceDescriptor {
    let supported = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let mut settings = InstanceDescriptor::new_without_display_handle();
    settings.backends = supported;
    let mut settings = settings.with_env();
    settings.backends &= supported;
    settings
}

/// Returns the adapters of DX12 with the best compiler that can be loaded. wgpu lists no adapter if
/// its compiler cannot be loaded, and does not report which compiler it has loaded.
fn through_dx12() -> Vec<FoundAdapter> {
    let compilers = ShaderCompiler::for_dx12().into_iter();
    let mut found = compilers.map(|compiler| enumerate(Backends::DX12, &compiler));
    found.find(|found| !found.is_empty()).unwrap_or_default()
}

fn enumerate(backends: Backends, compiler: &ShaderCompiler) -> Vec<FoundAdapter> {
    let mut settings = InstanceDescriptor { backends, ..settings() };
    settings.backend_options.dx12.shader_compiler = compiler.setting();
    let instance = Instance::new(settings);
    let adapters = pollster::block_on(instance.enumerate_adapters(backends)).into_iter();
    adapters.map(|adapter| FoundAdapter::new(&instance, adapter, compiler.clone())).collect()
}

/// Returns the adapters, the best first, each with the index of the one that is preferred to it.
fn in_order(found: Vec<FoundAdapter>) -> Vec<FoundAdapter> {
    let describe = |adapter: &FoundAdapter| adapter.adapter.get_info();
    let ids = found.iter().map(describe).map(|raw| [raw.vendor, raw.device]);
    let descriptions = found.iter().zip(ids).map(|(found, ids)| Description { info: &found.info, ids });
    let places = preference::order(&descriptions.collect::<Vec<_>>()).into_iter();
    places
        .map(|place| FoundAdapter { same_gpu_as: place.same_gpu_as, ..found[place.adapter].clone() })
        .collect()
}

/// Returns advice for installing a GPU driver on this operating system, in one line.
pub fn driver_advice() -> &'static str {
    if cfg!(target_os = "linux") {
        "install your GPU's Vulkan driver, or on Debian/Ubuntu the software one: apt-get install mesa-vulkan-drivers libvulkan1"
    } else if cfg!(windows) {
        "install your GPU vendor's driver (DX12 or Vulkan)"
    } else {
        "shadegrad needs Metal (macOS 11 or later) or a Vulkan driver"
    }
}

impl FoundAdapter {
    fn new(instance: &Instance, adapter: Adapter, compiler: ShaderCompiler) -> Self {
        let raw = adapter.get_info();
        FoundAdapter {
            instance: instance.clone(),
            info: describe(&raw),
            pci_bus: raw.device_pci_bus_id,
            compiler,
            same_gpu_as: None,
            adapter,
        }
    }

    /// Whether the adapter is a driver that computes on the CPU.
    pub fn is_software(&self) -> bool {
        self.info.kind == DeviceKind::Software
    }

    /// Returns the properties by which kernels are picked if the adapter is opened with these
    /// capabilities.
    pub fn facts(&self, capabilities: Capabilities) -> GpuFacts {
        let info = self.adapter.get_info();
        let features = self.features(capabilities);
        let one_size = info.subgroup_min_size == info.subgroup_max_size;
        let subgroups = features.contains(wgpu::Features::SUBGROUP) && one_size;
        let cooperative = features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX);
        GpuFacts {
            disabled: 0,
            subgroup_size: subgroups.then_some(info.subgroup_min_size),
            cooperative: self.cooperative_matrix().filter(|_| cooperative),
            proven: false,
            software: self.is_software(),
            compiles_slowly: self.compiler == ShaderCompiler::Fxc,
            f16: features.contains(wgpu::Features::SHADER_F16),
            split_sums: !self.is_software(),
            matmul: None,
        }
    }

    pub(super) fn features(&self, capabilities: Capabilities) -> wgpu::Features {
        match capabilities {
            Capabilities::Adapter => {
                let mut used =
                    wgpu::Features::SUBGROUP | wgpu::Features::SHADER_F16 | wgpu::Features::TIMESTAMP_QUERY;
                if self.cooperative_matrix().is_some() {
                    used |= wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
                }
                self.adapter.features() & used
            }
            Capabilities::WebGpuDefaults => wgpu::Features::empty(),
        }
    }

    /// Returns the largest cooperative matrices that kernels can use. WGSL supports only square
    /// ones, and the kernels need f16 operands, f32 sums, and a fixed subgroup size.
    fn cooperative_matrix(&self) -> Option<CooperativeMatrix> {
        let info = self.adapter.get_info();
        let needed = wgpu::Features::SHADER_F16
            | wgpu::Features::SUBGROUP
            | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
        let usable =
            self.adapter.features().contains(needed) && info.subgroup_min_size == info.subgroup_max_size;
        let listed = self.adapter.cooperative_matrix_properties().into_iter();
        let sizes = listed.filter_map(|listed| {
            let CooperativeMatrixProperties { m_size, n_size, k_size, ab_type, cr_type, .. } = listed;
            let square = m_size == n_size && n_size == k_size;
            let types = (ab_type, cr_type) == (CooperativeScalarType::F16, CooperativeScalarType::F32);
            (square && types && !listed.saturating_accumulation).then_some(m_size)
        });
        // Metal loads a matrix through a pointer to scalars (naga's `simdgroup_load`).
        let vec4_loads = info.backend != Backend::Metal;
        sizes.max().filter(|_| usable).map(|size| CooperativeMatrix { size, vec4_loads })
    }

    pub(super) fn limits(&self, capabilities: Capabilities) -> wgpu::Limits {
        match capabilities {
            Capabilities::Adapter => self.adapter.limits(),
            Capabilities::WebGpuDefaults => wgpu::Limits::default(),
        }
    }

    /// Returns the features and limits that matter to training, as names and values.
    pub fn abilities(&self) -> Vec<(&'static str, String)> {
        let (features, limits) = (self.adapter.features(), self.adapter.limits());
        let info = self.adapter.get_info();
        let yes_no = |feature| if features.contains(feature) { "yes" } else { "no" }.to_string();
        let subgroups = if features.contains(wgpu::Features::SUBGROUP) {
            match (info.subgroup_min_size, info.subgroup_max_size) {
                (least, most) if least == most => format!("{least} lanes"),
                (least, most) => format!("{least} to {most} lanes"),
            }
        } else {
            "no".into()
        };
        let mut abilities = vec![
            ("subgroups", subgroups),
            ("f16", yes_no(wgpu::Features::SHADER_F16)),
            ("timestamps", yes_no(wgpu::Features::TIMESTAMP_QUERY)),
            ("cooperative_matrices", yes_no(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX)),
        ];
        abilities.extend(limits_that_matter(&limits).map(|(name, limit)| (name, limit.to_string())));
        abilities
    }

    #[allow(unsafe_code, reason = "wgpu requires unsafe code to enable experimental features")]
    pub(super) fn open(&self, capabilities: Capabilities) -> Result<(wgpu::Device, wgpu::Queue)> {
        let required_features = self.features(capabilities);
        let experimental_features =
            if required_features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX) {
                // SAFETY: wgpu does not check the use of experimental features.
                // The only user is the crate's own template for cooperative matrices: its tiles are
                // sized and aligned for every load and store, its control flow is uniform, and its
                // products are checked on the device before they are used (`Gpu::f16_facts`).
                unsafe { wgpu::ExperimentalFeatures::enabled() }
            } else {
                wgpu::ExperimentalFeatures::disabled()
            };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("shadegrad"),
            required_features,
            experimental_features,
            required_limits: self.limits(capabilities),
            ..wgpu::DeviceDescriptor::default()
        };
        pollster::block_on(self.adapter.request_device(&descriptor)).map_err(|cause| {
            Error::device(format!("cannot open the GPU {}: {cause}", self.info.name))
                .advise(Remedy::AnotherDevice)
        })
    }
}

/// Returns the limits that matter to training, by name.
pub(super) fn limits_that_matter(limits: &wgpu::Limits) -> [(&'static str, u64); 4] {
    [
        ("largest_binding_bytes", limits.max_storage_buffer_binding_size),
        ("largest_buffer_bytes", limits.max_buffer_size),
        ("workgroup_memory_bytes", limits.max_compute_workgroup_storage_size.into()),
        ("workgroup_invocations", limits.max_compute_invocations_per_workgroup.into()),
    ]
}

fn describe(raw: &AdapterInfo) -> DeviceInfo {
    let driver = [raw.driver.as_str(), raw.driver_info.as_str()];
    let driver: Vec<&str> = driver.into_iter().filter(|part| !part.is_empty()).collect();
    DeviceInfo {
        name: raw.name.clone(),
        backend: raw.backend.to_string().to_lowercase(),
        driver: driver.join(" "),
        kind: match raw.device_type {
            DeviceType::DiscreteGpu => DeviceKind::Discrete,
            DeviceType::IntegratedGpu => DeviceKind::Integrated,
            DeviceType::VirtualGpu => DeviceKind::Virtual,
            DeviceType::Cpu => DeviceKind::Software,
            DeviceType::Other => DeviceKind::Other,
        },
        selftest: None,
    }
}
