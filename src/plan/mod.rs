//! The recorded ops of a run: recorded once, run many times, the same on every device.
//!
//! A plan has a table of tensors and a few *steps* (train on one batch, evaluate one batch, ...),
//! each a list of ops. Recording checks shapes and the order of reads and writes, so a device can
//! run a step without further checks. Data that change from run to run of a step are in a
//! [`StepRecord`].
//!
//! ```
//! use shadegrad::ops::relu;
//! use shadegrad::plan::{Array, Plan, Role, StepRecord};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let x = plan.declare("x", Role::Input, Element::F32, [3]);
//! let step = plan.begin("example");
//! let y = relu::forward(&mut plan, x);
//!
//! let memory = plan.host_memory();
//! memory.write(x, Array::F32(vec![-1.0, 0.0, 2.0]));
//! plan.step(step).ops[0].run_on_cpu(&memory, &StepRecord::default());
//! assert_eq!(memory.read(y), Array::F32(vec![0.0, 0.0, 2.0]));
//! ```

mod aligned;
mod altered_op;
mod declaration;
mod host_memory;
mod liveness;
mod loss_scale;
mod op;
mod recording;
mod step;
mod step_record;

pub(crate) use aligned::Floats;
pub use altered_op::AlteredOp;
pub use declaration::{Declaration, Role};
pub use host_memory::{Array, HostMemory};
pub use op::{Candidate, Op, Operands, TuneSet};
pub use recording::Plan;
pub use step::{Launch, Step, StepId};
pub use step_record::StepRecord;
