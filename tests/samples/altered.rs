//! Devices and sessions that pass everything on to others, except what a test alters.

use shadegrad::device::{Device, DeviceInfo, Session, Ticket};
use shadegrad::kernel::GpuFacts;
use shadegrad::plan::{Array, Launch, Plan, StepId};
use shadegrad::tensor::{Precision, Tensor};
use shadegrad::{Error, ErrorKind, Result};

type Load<'a> = dyn Fn(&dyn Device, Plan) -> Result<Box<dyn Session>> + 'a;

/// A device that loads plans in its own way. Every device error means that it is lost.
pub struct Altered<'a> {
    inner: &'a dyn Device,
    load: Box<Load<'a>>,
}

impl<'a> Altered<'a> {
    /// Returns `inner` with `load` in place of its [`Device::load`].
    pub fn new(
        inner: &'a dyn Device,
        load: impl Fn(&dyn Device, Plan) -> Result<Box<dyn Session>> + 'a,
    ) -> Self {
        Altered { inner, load: Box::new(load) }
    }
}

impl Device for Altered<'_> {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    fn largest_tensor(&self) -> usize {
        self.inner.largest_tensor()
    }

    fn kernel_facts(&self, precision: Precision) -> Option<GpuFacts> {
        self.inner.kernel_facts(precision)
    }

    fn is_lost(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Device
    }

    fn load(&self, plan: Plan) -> Result<Box<dyn Session>> {
        (self.load)(self.inner, plan)
    }
}

/// A call to a session that may fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Write,
    Read,
    Submit,
    RunOp,
    Finish,
}

/// A session that calls `before` ahead of each call that may fail.
pub struct Watched<F> {
    pub inner: Box<dyn Session>,
    pub before: F,
}

impl<F: FnMut(&mut dyn Session, Call) -> Result<()>> Session for Watched<F> {
    fn plan(&self) -> &Plan {
        self.inner.plan()
    }

    fn kernels(&self, step: StepId) -> Vec<String> {
        self.inner.kernels(step)
    }

    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()> {
        (self.before)(&mut *self.inner, Call::Write)?;
        self.inner.write(tensor, array)
    }

    fn read(&mut self, tensor: Tensor) -> Result<Array> {
        (self.before)(&mut *self.inner, Call::Read)?;
        self.inner.read(tensor)
    }

    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket> {
        (self.before)(&mut *self.inner, Call::Submit)?;
        self.inner.submit(launches, metrics, slots)
    }

    fn run_op(&mut self, launch: Launch, op: usize) -> Result<()> {
        (self.before)(&mut *self.inner, Call::RunOp)?;
        self.inner.run_op(launch, op)
    }

    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>> {
        (self.before)(&mut *self.inner, Call::Finish)?;
        self.inner.finish(ticket)
    }
}
