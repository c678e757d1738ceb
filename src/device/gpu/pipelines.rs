//! Compiles kernels into pipelines, and prepares dispatches for compute passes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, BindGroupLayoutDescriptor,
    BindGroupLayoutEntry, BindingResource, BindingType, Buffer, BufferBinding, BufferBindingType,
    BufferDescriptor, BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor, ComputePipeline,
    ComputePipelineDescriptor, Device, PipelineCompilationOptions, PipelineLayoutDescriptor, Queue,
    ShaderModuleDescriptor, ShaderSource, ShaderStages,
};

use super::prepared::{Prepared, encode};
use super::timing::time_by_waiting;
use crate::kernel::{Access, Dispatch, Kernel, MOST_ITERATIONS, Uniform};
use crate::plan::StepRecord;

/// Bytes from one uniform to the next: the largest alignment that any device requires.
pub(super) const UNIFORM_STRIDE: u64 = 256;

/// The pipelines of a plan, one for each kernel even if several ops use it.
#[derive(Debug)]
pub(super) struct Pipelines<'a> {
    device: &'a Device,
    step_layout: &'a BindGroupLayout,
    /// Pipelines by kernel name, each with the kernel that it was compiled from.
    made: HashMap<Cow<'static, str>, (Kernel, ComputePipeline, BindGroupLayout)>,
}

/// Returns the layout of the bind group with the step's record, which has a dynamic offset.
pub(super) fn step_layout(device: &Device) -> BindGroupLayout {
    let entry = uniform_entry(0, true, StepRecord::default().to_bytes().len());
    device.create_bind_group_layout(&BindGroupLayoutDescriptor { label: Some("step"), entries: &[entry] })
}

fn uniform_entry(binding: u32, dynamic: bool, bytes: usize) -> BindGroupLayoutEntry {
    BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty: BufferBindingType::Uniform,
            has_dynamic_offset: dynamic,
            min_binding_size: NonZeroU64::new(bytes as u64),
        },
        count: None,
    }
}

/// Creates a buffer for the uniforms of `count` dispatches, each at a multiple of the stride.
pub(super) fn params_buffer(device: &Device, count: usize) -> Buffer {
    device.create_buffer(&BufferDescriptor {
        label: Some("params"),
        size: UNIFORM_STRIDE * (count as u64).max(1),
        usage: BufferUsages::UNIFORM | BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// Launches a kernel with zero workgroups and waits for it. Mesa's software driver compiles a
/// kernel at its first launch, and not when its pipeline is created.
pub(super) fn launch_nothing(device: &Device, queue: &Queue, prepared: &Prepared, records: &BindGroup) {
    let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
    {
        let nothing = Prepared { grid: [0; 3], ..prepared.clone() };
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        encode(&mut pass, std::slice::from_ref(&nothing), records, 0);
    }
    // If the device was lost, the session notices it later.
    time_by_waiting(device, queue, encoder.finish());
}

impl<'a> Pipelines<'a> {
    pub(super) fn new(device: &'a Device, step_layout: &'a BindGroupLayout) -> Self {
        Pipelines { device, step_layout, made: HashMap::new() }
    }

    /// Whether a kernel has no pipeline yet.
    pub(super) fn is_missing(&self, kernel: &Kernel) -> bool {
        !self.made.contains_key(&kernel.name)
    }

    /// Counts the kernels of these dispatches that have no pipeline yet.
    pub(super) fn count_missing<'b>(&self, dispatches: impl Iterator<Item = &'b Dispatch>) -> usize {
        let kernels = dispatches.map(|dispatch| &*dispatch.kernel).filter(|kernel| self.is_missing(kernel));
        kernels.map(|kernel| &kernel.name).collect::<HashSet<_>>().len()
    }

    /// Prepares a dispatch whose uniform is at `offset` in `params`; `buffers` are the plan's.
    pub(super) fn prepare(
        &mut self,
        dispatch: &Dispatch,
        params: &Buffer,
        offset: u64,
        buffers: &[Buffer],
    ) -> Prepared {
        let kernel = &*dispatch.kernel;
        assert!(
            dispatch.iterations <= MOST_ITERATIONS,
            "kernel {} would make {} iterations in one invocation",
            kernel.name,
            dispatch.iterations
        );
        if self.is_missing(kernel) {
            let (pipeline, layout) = self.make(kernel, dispatch.params.len());
            self.made.insert(kernel.name.clone(), (kernel.clone(), pipeline, layout));
        }
        let (made, pipeline, layout) = &self.made[&kernel.name];
        assert!(made == kernel, "two kernels have the name {}", kernel.name);
        let mut entries = vec![BindGroupEntry {
            binding: 0,
            resource: BindingResource::Buffer(BufferBinding {
                buffer: params,
                offset,
                size: NonZeroU64::new(dispatch.params.len() as u64),
            }),
        }];
        for (index, tensor) in dispatch.tensors.iter().enumerate() {
            entries.push(BindGroupEntry {
                binding: index as u32 + 1,
                resource: buffers[tensor.id()].as_entire_binding(),
            });
        }
        Prepared {
            name: Arc::from(&*kernel.name),
            pipeline: pipeline.clone(),
            bindings: self.device.create_bind_group(&BindGroupDescriptor {
                label: Some(&kernel.name),
                layout,
                entries: &entries,
            }),
            reads_step: kernel.reads_step,
            grid: dispatch.grid,
        }
    }

    fn make(&self, kernel: &Kernel, params_bytes: usize) -> (ComputePipeline, BindGroupLayout) {
        let label = Some(&*kernel.name);
        let mut entries = vec![uniform_entry(0, false, params_bytes)];
        for (index, binding) in kernel.bindings.iter().enumerate() {
            entries.push(BindGroupLayoutEntry {
                binding: index as u32 + 1,
                visibility: ShaderStages::COMPUTE,
                ty: BindingType::Buffer {
                    ty: BufferBindingType::Storage { read_only: binding.access == Access::Read },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            });
        }
        let layout =
            self.device.create_bind_group_layout(&BindGroupLayoutDescriptor { label, entries: &entries });
        let module = self.device.create_shader_module(ShaderModuleDescriptor {
            label,
            source: ShaderSource::Wgsl(kernel.source.as_ref().into()),
        });
        let mut groups = vec![Some(&layout)];
        if kernel.reads_step {
            groups.push(Some(self.step_layout));
        }
        let pipeline_layout = self.device.create_pipeline_layout(&PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &groups,
            immediate_size: 0,
        });
        let pipeline = self.device.create_compute_pipeline(&ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: PipelineCompilationOptions {
                // Every kernel writes workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
                ..PipelineCompilationOptions::default()
            },
            cache: None,
        });
        (pipeline, layout)
    }
}
