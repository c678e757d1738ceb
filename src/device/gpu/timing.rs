//! Times single dispatches for a profile: with timestamp queries if the device supports them, else
//! by waiting for each dispatch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePassDescriptor,
    ComputePassTimestampWrites, QuerySet, QuerySetDescriptor, QueryType,
};

use super::prepared::{Prepared, encode};
use crate::device::profile::{Clock, Profile};

/// Maximum number of dispatches of a submission that are timed, starting at the first: each needs
/// two of the 4,096 timestamps of a query set. The others are only counted.
const MOST_TIMED: usize = 2048;

/// Maximum number of dispatches of a submission that are timed by waiting: enough for a few steps.
const MOST_WAITED_FOR: usize = 64;

/// A query set and the buffer that its timestamps are resolved to.
#[derive(Debug)]
pub(super) struct Stamps {
    queries: QuerySet,
    resolved: Buffer,
    /// Nanoseconds per tick.
    period: f32,
}

/// Names of the dispatches that a submission times, in the order of their timestamps.
pub(super) type Timed = Vec<Arc<str>>;

impl Stamps {
    /// Creates the query set. The device must have been opened with timestamp queries.
    pub(super) fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let count = 2 * MOST_TIMED as u32;
        Stamps {
            queries: device.create_query_set(&QuerySetDescriptor {
                label: Some("profile"),
                ty: QueryType::Timestamp,
                count,
            }),
            resolved: device.create_buffer(&BufferDescriptor {
                label: Some("profile"),
                size: u64::from(count) * 8,
                usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            period: queue.get_timestamp_period(),
        }
    }

    /// Returns the bytes of the timestamps of these dispatches.
    pub(super) fn bytes(timed: &Timed) -> u64 {
        16 * timed.len() as u64
    }

    /// Encodes each dispatch in its own pass, between two timestamps until the query set is full.
    pub(super) fn encode(
        &self,
        encoder: &mut CommandEncoder,
        dispatches: &[Prepared],
        records: &wgpu::BindGroup,
        offset: u32,
        timed: &mut Timed,
    ) {
        for dispatch in dispatches {
            let first = 2 * timed.len() as u32;
            let stamps = (timed.len() < MOST_TIMED).then_some(ComputePassTimestampWrites {
                query_set: &self.queries,
                beginning_of_pass_write_index: Some(first),
                end_of_pass_write_index: Some(first + 1),
            });
            if stamps.is_some() {
                timed.push(Arc::clone(&dispatch.name));
            }
            let descriptor = ComputePassDescriptor { label: None, timestamp_writes: stamps };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            encode(&mut pass, std::slice::from_ref(dispatch), records, offset);
        }
    }

    /// Encodes the copy of a submission's timestamps to `staging`, starting at `offset`.
    pub(super) fn copy(&self, encoder: &mut CommandEncoder, timed: &Timed, staging: &Buffer, offset: u64) {
        if !timed.is_empty() {
            encoder.resolve_query_set(&self.queries, 0..2 * timed.len() as u32, &self.resolved, 0);
            encoder.copy_buffer_to_buffer(&self.resolved, 0, staging, offset, Stamps::bytes(timed));
        }
    }

    /// Adds the times between timestamps to a profile.
    pub(super) fn add(&self, profile: &Profile, timed: &Timed, stamps: &[u8]) {
        let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(stamps);
        for (name, stamps) in timed.iter().zip(stamps.chunks_exact(2)) {
            let ticks = stamps[1].saturating_sub(stamps[0]);
            let time = Duration::from_secs_f64(ticks as f64 * f64::from(self.period) * 1e-9);
            profile.timed(Clock::Device, name, time);
        }
    }
}

/// Measures the time of commands with the host's clock, from their submission to their end. Returns
/// `None` if the device was lost, which the next wait for a submission reports.
pub(super) fn time_by_waiting(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    commands: wgpu::CommandBuffer,
) -> Option<Duration> {
    let started = Instant::now();
    let index = queue.submit([commands]);
    let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: None };
    device.poll(wait).ok().map(|_| started.elapsed())
}

/// Runs the first of `dispatches` one by one and waits for each. Returns their number.
pub(super) fn wait_for_each(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    profile: &Profile,
    dispatches: &[(&Prepared, u32)],
    records: &wgpu::BindGroup,
) -> usize {
    let timed = &dispatches[..dispatches.len().min(MOST_WAITED_FOR)];
    for &(dispatch, offset) in timed {
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
            encode(&mut pass, std::slice::from_ref(dispatch), records, offset);
        }
        if let Some(time) = time_by_waiting(device, queue, encoder.finish()) {
            profile.timed(Clock::Host, &dispatch.name, time);
        }
    }
    timed.len()
}
