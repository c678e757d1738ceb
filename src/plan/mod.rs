//! The recorded ops of a run: made once, run many times, the same on every device.
//!
//! A plan is a table of tensors and a few *steps* (train on one batch, evaluate one batch, ...),
//! each a list of ops. Recording checks shapes and the order of reads and writes, so that a device
//! can run a step without looking again. What differs from one run of a step to the next is data:
//! a [`StepRecord`].

mod aligned;
mod declaration;
mod host_memory;
mod liveness;
mod loss_scale;
mod op;
mod recording;
mod step;
mod step_record;

pub(crate) use aligned::Floats;
pub use declaration::{Declaration, Role};
pub use host_memory::{Array, HostMemory};
pub use op::{Choice, Op, Operands, Way};
pub use recording::Plan;
pub use step::{Launch, Step, StepId};
pub use step_record::StepRecord;
