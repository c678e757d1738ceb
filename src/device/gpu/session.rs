//! A plan on a GPU: its buffers, its bind groups, and submissions of many steps at a time.
//!
//! All objects are created when the plan is loaded. A submission writes its step records into one
//! uniform buffer, which every dispatch reads at its own offset. It encodes all steps into one
//! compute pass, and copies the metric rings into a staging buffer, which is mapped when the work
//! is done.

use std::ops::Range;
use std::sync::mpsc;

use half::f16;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, BufferDescriptor,
    BufferUsages, CommandEncoderDescriptor, MapMode, PollType, SubmissionIndex,
};

use super::context::Context;
use super::faults::{Faults, checked, lost_device, out_of_memory};
use super::pipelines::{Pipelines, UNIFORM_STRIDE, launch_nothing, params_buffer, step_layout};
use super::preparation::{Progress, Stage};
use super::prepared::{Prepared, encode};
use super::timing::{Stamps, Timed, wait_for_each};
use super::tuner::{Bench, Tuner};
use crate::device::interface::{MOST_LAUNCHES, Session, Ticket};
use crate::device::profile::Profile;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::kernel::{GpuFacts, Uniform};
use crate::plan::{Array, Declaration, Launch, Plan, StepId, StepRecord};
use crate::remedy::Remedy;
use crate::tensor::{Element, Tensor};

pub(super) struct GpuSession {
    plan: Plan,
    device: wgpu::Device,
    queue: wgpu::Queue,
    faults: Faults,
    buffers: Vec<Buffer>,
    steps: Vec<Vec<Prepared>>,
    /// Ranges of the dispatches of each op, by step.
    ops: Vec<Vec<Range<usize>>>,
    records: Buffer,
    records_group: BindGroup,
    pending: Vec<Pending>,
    /// Staging buffers that are not in use by a submission.
    idle: Vec<Buffer>,
    submitted: u64,
    profile: Option<Profile>,
    /// Timestamp queries; `None` if the device does not support them.
    stamps: Option<Stamps>,
}

/// A submission whose metrics have not been read yet.
struct Pending {
    ticket: u64,
    index: SubmissionIndex,
    staging: Buffer,
    /// Bytes copied from each ring.
    sizes: Vec<u64>,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
    /// Dispatches whose timestamps follow the rings.
    timed: Timed,
}

/// Returns the bytes of a tensor on the device, rounded up to whole words.
fn device_bytes(tensor: Tensor) -> u64 {
    (tensor.bytes() as u64).next_multiple_of(4)
}

impl GpuSession {
    /// Creates all objects that `plan` needs, with kernels picked by `facts`.
    pub(super) fn new(gpu: &Context, facts: &GpuFacts, plan: Plan) -> Result<Self> {
        let device = &gpu.device;
        let largest = gpu.largest_tensor() as u64;
        for Declaration { tensor, name, .. } in plan.declarations() {
            if device_bytes(*tensor) > largest {
                return Err(Error::device(format!(
                    "{name} needs {} bytes, but {} can bind at most {largest}",
                    device_bytes(*tensor),
                    gpu.info.name
                ))
                .advise(Remedy::LessMemory));
            }
        }
        if failpoint::strikes("out-of-memory-in-load") {
            return Err(out_of_memory());
        }
        let buffers: Vec<Buffer> = checked(device, || {
            let mut buffers: Vec<Option<Buffer>> = vec![None; plan.declarations().len()];
            let buffer_of = |declaration: &Declaration| {
                let place = plan.place(declaration.tensor);
                let buffer = &mut buffers[place];
                buffer.get_or_insert_with(|| make_buffer(device, &plan.declarations()[place])).clone()
            };
            plan.declarations().iter().map(buffer_of).collect()
        })?;
        let (records, records_group, steps, ops) = checked(device, || {
            let step_layout = step_layout(device);
            let records = device.create_buffer(&BufferDescriptor {
                label: Some("step records"),
                size: UNIFORM_STRIDE * MOST_LAUNCHES as u64,
                usage: BufferUsages::UNIFORM | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let record_bytes = StepRecord::default().to_bytes().len() as u64;
            let records_group = device.create_bind_group(&BindGroupDescriptor {
                label: Some("step"),
                layout: &step_layout,
                entries: &[BindGroupEntry {
                    binding: 0,
                    resource: BindingResource::Buffer(BufferBinding {
                        buffer: &records,
                        offset: 0,
                        size: std::num::NonZeroU64::new(record_bytes),
                    }),
                }],
            });
            let mut pipelines = Pipelines::new(device, &step_layout);
            let bench = Bench { device, queue: &gpu.queue, buffers: &buffers, records: &records_group };
            let mut tuner =
                Tuner::new(bench, *facts, gpu.tuning.as_ref(), gpu.on_notice, gpu.subject.clone());
            let mut progress = Progress::new(gpu.observer.as_deref(), Stage::Tuning, tuner.open_sets(&plan));
            let lowered: Vec<Vec<Vec<_>>> = plan
                .steps()
                .iter()
                .map(|step| {
                    let ops = step.ops.iter();
                    ops.map(|op| tuner.lower(&**op, &mut pipelines, &mut progress)).collect()
                })
                .collect();
            drop(progress);
            tuner.store();
            let missing = pipelines.count_missing(lowered.iter().flatten().flatten());
            let mut progress = Progress::new(gpu.observer.as_deref(), Stage::Compiling, missing);
            // All uniforms of the plan are in one buffer, each at a multiple of the stride.
            let params = params_buffer(device, lowered.iter().flatten().map(Vec::len).sum());
            let mut offset = 0;
            let (mut steps, mut ops) = (Vec::new(), Vec::new());
            for step in &lowered {
                let (mut prepared, mut ranges) = (Vec::new(), Vec::new());
                for dispatches in step {
                    ranges.push(prepared.len()..prepared.len() + dispatches.len());
                    for dispatch in dispatches {
                        gpu.queue.write_buffer(&params, offset, &dispatch.params);
                        let is_new = pipelines.is_missing(&dispatch.kernel);
                        if is_new {
                            progress.next(&dispatch.kernel.name);
                        }
                        let ready = pipelines.prepare(dispatch, &params, offset, &buffers);
                        if is_new && facts.software {
                            launch_nothing(device, &gpu.queue, &ready, &records_group);
                        }
                        prepared.push(ready);
                        offset += UNIFORM_STRIDE;
                    }
                }
                steps.push(prepared);
                ops.push(ranges);
            }
            (records, records_group, steps, ops)
        })?;
        Ok(GpuSession {
            plan,
            device: gpu.device.clone(),
            queue: gpu.queue.clone(),
            faults: gpu.faults.clone(),
            buffers,
            steps,
            ops,
            records,
            records_group,
            pending: Vec::new(),
            idle: Vec::new(),
            submitted: 0,
            stamps: (gpu.profile.is_some() && device.features().contains(wgpu::Features::TIMESTAMP_QUERY))
                .then(|| Stamps::new(device, &gpu.queue)),
            profile: gpu.profile.clone(),
        })
    }

    fn write_records(&self, launches: &[Launch]) {
        let mut bytes = vec![0; launches.len() * UNIFORM_STRIDE as usize];
        for (slot, launch) in bytes.chunks_exact_mut(UNIFORM_STRIDE as usize).zip(launches) {
            let record = launch.record.to_bytes();
            slot[..record.len()].copy_from_slice(&record);
        }
        self.queue.write_buffer(&self.records, 0, &bytes);
    }

    /// Encodes steps into one pass, or each dispatch into its own pass for a profile. Returns the
    /// dispatches that have timestamps.
    fn encode(&self, launches: &[Launch], encoder: &mut wgpu::CommandEncoder) -> Timed {
        let mut dispatches = Vec::new();
        let mut timed = Timed::new();
        let steps = launches.iter().enumerate().map(|(position, launch)| {
            (self.steps[launch.step.index()].as_slice(), position as u32 * UNIFORM_STRIDE as u32)
        });
        let Some(profile) = &self.profile else {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            steps.for_each(|(step, offset)| encode(&mut pass, step, &self.records_group, offset));
            return timed;
        };
        for (step, offset) in steps {
            step.iter().for_each(|dispatch| profile.launched(&dispatch.name));
            match &self.stamps {
                Some(stamps) => stamps.encode(encoder, step, &self.records_group, offset, &mut timed),
                None => dispatches.extend(step.iter().map(|dispatch| (dispatch, offset))),
            }
        }
        if self.stamps.is_none() {
            let done = wait_for_each(&self.device, &self.queue, profile, &dispatches, &self.records_group);
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for &(dispatch, offset) in &dispatches[done..] {
                encode(&mut pass, std::slice::from_ref(dispatch), &self.records_group, offset);
            }
        }
        timed
    }

    fn staging(&mut self, bytes: u64) -> Buffer {
        let fitting = self.idle.iter().position(|buffer| buffer.size() >= bytes);
        match fitting {
            Some(position) => self.idle.swap_remove(position),
            None => staging_buffer(&self.device, bytes),
        }
    }

    fn wait(&self, index: &SubmissionIndex) -> Result<()> {
        let wait = PollType::Wait { submission_index: Some(index.clone()), timeout: None };
        let polled = self.device.poll(wait);
        self.faults.check()?;
        polled.map(drop).map_err(|cause| lost_device(&cause.to_string()))
    }

    /// Starts mapping `staging`. The result arrives after the device has been polled.
    fn map(&self, staging: &Buffer) -> mpsc::Receiver<Result<(), wgpu::BufferAsyncError>> {
        let (sender, receiver) = mpsc::channel();
        staging.map_async(MapMode::Read, .., move |result| {
            // The receiver no longer exists if a run was ended early.
            sender.send(result).unwrap_or_default();
        });
        receiver
    }

    /// Calls `use_bytes` with the contents of a staging buffer whose mapping was started and whose
    /// submission is done.
    fn mapped_bytes<T>(
        &self,
        staging: &Buffer,
        mapped: &mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
        use_bytes: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        let answer = mapped.try_recv().map_err(|cause| cause.to_string());
        answer
            .and_then(|result| result.map_err(|cause| cause.to_string()))
            .map_err(|cause| lost_device(&format!("its results cannot be read: {cause}")))?;
        let view = staging
            .get_mapped_range(..)
            .map_err(|cause| lost_device(&format!("its results cannot be read: {cause}")))?;
        let result = use_bytes(&view);
        drop(view);
        staging.unmap();
        Ok(result)
    }
}

/// Converts the elements to f16 in the layout of GPU memory.
fn half_bytes(array: &Array) -> Vec<u8> {
    let Array::F32(values) = array else { panic!("{:?} are no floats", array.element()) };
    values.iter().flat_map(|&value| f16::from_f32(value).to_ne_bytes()).collect()
}

/// Converts the two bytes of an f16 to f32.
fn widened(bytes: &[u8]) -> f32 {
    f16::from_ne_bytes(bytes.try_into().expect("two bytes")).to_f32()
}

fn make_buffer(device: &wgpu::Device, declaration: &Declaration) -> Buffer {
    device.create_buffer(&BufferDescriptor {
        label: Some(&declaration.name),
        size: device_bytes(declaration.tensor),
        usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn staging_buffer(device: &wgpu::Device, bytes: u64) -> Buffer {
    device.create_buffer(&BufferDescriptor {
        label: Some("staging"),
        size: bytes.max(4),
        usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

impl Session for GpuSession {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn kernels(&self, step: StepId) -> Vec<String> {
        self.steps[step.index()].iter().map(|dispatch| dispatch.name.to_string()).collect()
    }

    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()> {
        array.check(tensor);
        let buffer = &self.buffers[tensor.id()];
        let halves = (tensor.element() == Element::F16).then(|| half_bytes(&array));
        let bytes = halves.as_deref().unwrap_or(array.bytes());
        // wgpu copies whole words, so the last word may need padding.
        let whole = bytes.len() / 4 * 4;
        checked(&self.device, || {
            self.queue.write_buffer(buffer, 0, &bytes[..whole]);
            if whole < bytes.len() {
                let mut last = [0; 4];
                last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
                self.queue.write_buffer(buffer, whole as u64, &last);
            }
            // Submits the staged copy at once, because otherwise large inputs would stay in host
            // memory until the first step.
            self.queue.submit([]);
        })
    }

    fn read(&mut self, tensor: Tensor) -> Result<Array> {
        let bytes = device_bytes(tensor);
        let staging = staging_buffer(&self.device, bytes);
        if failpoint::strikes("lose-gpu-in-read") {
            self.device.destroy();
        }
        let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.buffers[tensor.id()], 0, &staging, 0, bytes);
        let index = self.queue.submit([encoder.finish()]);
        let mapped = self.map(&staging);
        self.wait(&index)?;
        self.mapped_bytes(&staging, &mapped, |bytes| {
            let bytes = &bytes[..tensor.bytes()];
            match tensor.element() {
                Element::F32 => Array::F32(bytemuck::pod_collect_to_vec(bytes)),
                Element::F16 => Array::F32(bytes.chunks_exact(2).map(widened).collect()),
                Element::U32 => Array::U32(bytemuck::pod_collect_to_vec(bytes)),
                Element::U8 | Element::Pixel => Array::U8(bytes.to_vec()),
            }
        })
    }

    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket> {
        assert!(launches.len() <= MOST_LAUNCHES, "{} launches at once", launches.len());
        self.faults.check()?;
        let sizes: Vec<u64> =
            metrics.iter().map(|ring| (4 * slots * ring.matrix("a metric ring")[1]) as u64).collect();
        self.write_records(launches);
        let mut encoder =
            self.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("steps") });
        let timed = self.encode(launches, &mut encoder);
        let staging = self.staging(sizes.iter().sum::<u64>().next_multiple_of(8) + Stamps::bytes(&timed));
        let mut offset = 0;
        for (ring, &size) in metrics.iter().zip(&sizes) {
            if size > 0 {
                encoder.copy_buffer_to_buffer(&self.buffers[ring.id()], 0, &staging, offset, size);
            }
            offset += size;
        }
        if let Some(stamps) = &self.stamps {
            stamps.copy(&mut encoder, &timed, &staging, offset.next_multiple_of(8));
        }
        let index = self.queue.submit([encoder.finish()]);
        if failpoint::strikes("lose-gpu") {
            self.device.destroy();
        }
        if failpoint::strikes("out-of-memory") {
            self.faults.keep(out_of_memory());
        }
        let mapped = self.map(&staging);
        self.submitted += 1;
        self.pending.push(Pending { ticket: self.submitted, index, staging, sizes, mapped, timed });
        Ok(Ticket(self.submitted))
    }

    fn run_op(&mut self, launch: Launch, op: usize) -> Result<()> {
        let step = launch.step.index();
        self.write_records(&[launch]);
        let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("op") });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        encode(&mut pass, &self.steps[step][self.ops[step][op].clone()], &self.records_group, 0);
        drop(pass);
        let index = self.queue.submit([encoder.finish()]);
        self.wait(&index)
    }

    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>> {
        let position = self.pending.iter().position(|pending| pending.ticket == ticket.0);
        let pending = self.pending.remove(position.expect("a ticket is used once"));
        self.wait(&pending.index)?;
        let metrics = self.mapped_bytes(&pending.staging, &pending.mapped, |bytes| {
            let mut rest = bytes;
            let mut metrics = Vec::new();
            for &size in &pending.sizes {
                let (ring, others) = rest.split_at(size as usize);
                metrics.push(bytemuck::pod_collect_to_vec(ring));
                rest = others;
            }
            if let (Some(stamps), Some(profile)) = (&self.stamps, &self.profile) {
                let from = pending.sizes.iter().sum::<u64>().next_multiple_of(8) as usize;
                stamps.add(
                    profile,
                    &pending.timed,
                    &bytes[from..from + Stamps::bytes(&pending.timed) as usize],
                );
            }
            metrics
        })?;
        self.idle.push(pending.staging);
        Ok(metrics)
    }
}
