//! Dispatches that are ready to be encoded into a compute pass.

use std::sync::Arc;

use wgpu::{BindGroup, ComputePass, ComputePipeline};

/// A dispatch, ready to be encoded.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) name: Arc<str>,
    pub(super) pipeline: ComputePipeline,
    pub(super) bindings: BindGroup,
    pub(super) reads_step: bool,
    pub(super) grid: [u32; 3],
}

/// Encodes dispatches in order. `records` holds the step records; `offset` is that of this step.
pub(super) fn encode(pass: &mut ComputePass<'_>, dispatches: &[Prepared], records: &BindGroup, offset: u32) {
    for prepared in dispatches {
        pass.set_pipeline(&prepared.pipeline);
        pass.set_bind_group(0, &prepared.bindings, &[]);
        if prepared.reads_step {
            pass.set_bind_group(1, records, &[offset]);
        }
        let [x, y, z] = prepared.grid;
        pass.dispatch_workgroups(x, y, z);
    }
}
