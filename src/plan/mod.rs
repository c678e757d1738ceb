//! The recorded ops of a run: made once, run many times, the same on every device.
//!
//! A plan is a table of tensors and a few *steps* (train on one batch, evaluate one batch, ...),
//! each a list of ops. Recording checks shapes and the order of reads and writes, so that a device
//! can run a step without looking again. What differs from one run of a step to the next is data:
//! a [`StepRecord`].

mod places;
mod scale;

use crate::file_layout::FileLayout;
use crate::ops::Op;
use crate::tensor::{Element, Shape, Tensor};

/// What a tensor is for, which decides what may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Written by the host before the first step, read by ops: images, labels, the epoch's order.
    Input,
    /// Trained: weights and biases. Saved under the tensor's name.
    Parameter,
    /// Not trained but learnt: a batch norm's running mean, which training steps write and evaluations read, or filters that
    /// follow from the training images. Saved with the parameters.
    Statistic,
    /// Kept by an optimizer from step to step, starts as zeros.
    State,
    /// Lives within one step; its content before the step does not matter.
    Scratch,
    /// A ring with one slot per run of a step, read back by the host: losses, counts, penalties.
    Metric,
}

/// A tensor of a plan, with its name and what it is for.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The handle.
    pub tensor: Tensor,
    /// Unique among parameters; PyTorch's names there (`0.weight`).
    pub name: String,
    /// What the tensor is for.
    pub role: Role,
    /// How pixels were normalised: scale and shift of each channel, `[channels, 2]`.
    pub normalisation: Option<Tensor>,
    /// How files have it, where that is another order of its values.
    pub file_layout: Option<FileLayout>,
}

impl Declaration {
    /// Its sizes in files, outermost first.
    pub fn file_shape(&self) -> Vec<usize> {
        self.file_layout.map_or_else(|| self.tensor.shape().sizes().to_vec(), |layout| layout.shape())
    }

    /// Its values, as files have them.
    pub fn to_file(&self, values: Vec<f32>) -> Vec<f32> {
        match self.file_layout {
            Some(layout) => layout.to_file(&values),
            None => values,
        }
    }

    /// What files have, as values of the tensor.
    pub fn from_file(&self, values: &[f32]) -> Vec<f32> {
        self.file_layout.map_or_else(|| values.to_vec(), |layout| layout.from_file(values))
    }
}

/// Which of a plan's steps to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StepId(usize);

/// The ops of one step, in the order in which they run.
#[derive(Debug)]
pub struct Step {
    /// For labels and error messages.
    pub name: &'static str,
    /// In the order in which they run.
    pub ops: Vec<Box<dyn Op>>,
}

crate::kernel::uniform! {
    /// What changes from one run of a step to the next. Shaders see it as the uniform `step`.
    pub struct StepRecord {
        /// Where in the epoch's order this batch starts.
        first: u32,
        /// How many rows of the batch hold an image; the rest is padding and counts for nothing.
        rows: u32,
        /// Which slot of the metric rings this run writes.
        slot: u32,
        /// What the loss and the hit of one row count in the metrics: 1/rows for a mean, 1 for a sum.
        row_weight: f32,
        /// The epoch that this is a step of, from 0.
        epoch: u32,
        /// Steps of the run before this one.
        step: u32,
        /// The optimizer's learning rate in this step.
        learning_rate: f32,
        /// What makes up for an optimizer's running mean that started as zeros.
        mean_scale: f32,
        /// The same for the root of its running mean of squares.
        root_scale: f32,
        /// What the running averages of parameters take of the parameters.
        average_share: f32,
    }
}

/// One run of a step: which, and with what data.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// The step to run.
    pub step: StepId,
    /// Its data.
    pub record: StepRecord,
}

/// Tensors and recorded steps. See the module's documentation.
#[derive(Debug, Default)]
pub struct Plan {
    declarations: Vec<Declaration>,
    steps: Vec<Step>,
    written: Vec<bool>,
    /// Where tensors share memory, the place of each.
    places: Option<Vec<usize>>,
}

impl Plan {
    /// A plan without tensors and steps.
    pub fn new() -> Self {
        Plan::default()
    }

    /// Adds a tensor. Panics if it has no element, or more bytes than a `u32` can count.
    #[track_caller]
    pub fn declare(
        &mut self,
        name: impl Into<String>,
        role: Role,
        element: Element,
        shape: impl Into<Shape>,
    ) -> Tensor {
        let (name, shape) = (name.into(), shape.into());
        assert!(!shape.is_empty(), "tensor {name} of shape {shape:?} is empty");
        assert!(
            shape.len() <= u32::MAX as usize / 4,
            "tensor {name} of shape {shape:?} is too large to be indexed with 32 bits"
        );
        let tensor = Tensor { id: self.declarations.len(), element, shape };
        self.declarations.push(Declaration { tensor, name, role, normalisation: None, file_layout: None });
        self.written.push(false);
        tensor
    }

    /// A tensor that lives within the step being recorded.
    #[track_caller]
    pub fn scratch(&mut self, name: impl Into<String>, shape: impl Into<Shape>) -> Tensor {
        self.scratch_of(Element::F32, name, shape)
    }

    /// The same with elements of this type.
    #[track_caller]
    pub fn scratch_of(
        &mut self,
        element: Element,
        name: impl Into<String>,
        shape: impl Into<Shape>,
    ) -> Tensor {
        self.declare(name, Role::Scratch, element, shape)
    }

    /// A batch of pixels, `[batch, pixels]`, normalised by `normalisation`, that lives within the step being recorded.
    #[track_caller]
    pub fn pixels(
        &mut self,
        name: impl Into<String>,
        shape: impl Into<Shape>,
        normalisation: Tensor,
    ) -> Tensor {
        let tensor = self.declare(name, Role::Scratch, Element::Pixel, shape);
        self.declarations[tensor.id].normalisation = Some(normalisation);
        tensor
    }

    /// Says that files have the tensor's values in another order.
    pub fn lay_out(&mut self, tensor: Tensor, layout: FileLayout) {
        self.declarations[tensor.id].file_layout = Some(layout);
    }

    /// How a tensor of pixels is normalised; nothing for other tensors.
    pub fn normalisation(&self, tensor: Tensor) -> Option<Tensor> {
        self.declarations[tensor.id].normalisation
    }

    /// Starts a new step: the ops recorded from now on belong to it.
    pub fn begin(&mut self, name: &'static str) -> StepId {
        self.written.fill(false);
        self.steps.push(Step { name, ops: Vec::new() });
        StepId(self.steps.len() - 1)
    }

    /// Adds an op to the step being recorded.
    ///
    /// Panics if no step was begun, if the op reads a scratch tensor that nothing in this step has
    /// written, or if it names one tensor both as something to read and something to write, or twice
    /// as something to write.
    #[track_caller]
    pub fn record(&mut self, op: impl Op + 'static) {
        let operands = op.operands();
        for read in &operands.reads {
            let declaration = &self.declarations[read.id];
            assert!(
                declaration.role != Role::Scratch || self.written[read.id],
                "{} reads {}, which nothing in this step has written",
                op.name(),
                declaration.name
            );
            // By identity: two views of a tensor have different shapes.
            let is_written = |write: &Tensor| write.id == read.id;
            assert!(
                !operands.writes.iter().chain(&operands.updates).any(is_written),
                "{} reads and writes {}",
                op.name(),
                declaration.name
            );
        }
        let written: Vec<&Tensor> = operands.writes.iter().chain(&operands.updates).collect();
        for (position, write) in written.iter().enumerate() {
            let declaration = &self.declarations[write.id];
            let is_twice = written[..position].iter().any(|other| other.id == write.id);
            assert!(!is_twice, "{} writes {} twice", op.name(), declaration.name);
            assert!(declaration.role != Role::Input, "{} writes the input {}", op.name(), declaration.name);
            self.written[write.id] = true;
        }
        let step = self.steps.last_mut().expect("Plan::begin comes before Plan::record");
        step.ops.push(Box::new(op));
    }

    /// Lets scratch tensors that never live at the same time lie in the same memory. Comes after the last op. What the host
    /// reads of a step's scratch tensors is `kept`; of others it finds what came later.
    pub fn share_scratch(&mut self, kept: &[Tensor]) {
        self.places = Some(places::assign(self, kept));
    }

    /// Which memory a tensor lies in: tensors with one place, a position in the table of tensors, lie in the same. It has the
    /// size of that tensor.
    pub fn place(&self, tensor: Tensor) -> usize {
        self.places.as_ref().map_or(tensor.id, |places| places[tensor.id])
    }

    /// Bytes of all tensors, where an element has `size`.
    pub fn bytes(&self, size: impl Fn(Element) -> usize) -> usize {
        let has_memory = |declaration: &&Declaration| self.place(declaration.tensor) == declaration.tensor.id;
        let tensors = self.declarations.iter().filter(has_memory).map(|declaration| declaration.tensor);
        tensors.map(|tensor| tensor.len() * size(tensor.element)).sum()
    }

    /// Replaces every recorded op by what `wrap` makes of it: this is how a test puts itself between
    /// an op and the device that runs it.
    pub fn wrap_ops(&mut self, mut wrap: impl FnMut(Box<dyn Op>) -> Box<dyn Op>) {
        for step in &mut self.steps {
            step.ops = std::mem::take(&mut step.ops).into_iter().map(&mut wrap).collect();
        }
    }

    /// All tensors, in the order of their ids.
    pub fn declarations(&self) -> &[Declaration] {
        &self.declarations
    }

    /// Whether any tensor is of this type.
    pub fn has(&self, element: Element) -> bool {
        self.declarations.iter().any(|declaration| declaration.tensor.element == element)
    }

    /// What was declared of a tensor.
    pub fn declaration(&self, tensor: Tensor) -> &Declaration {
        &self.declarations[tensor.id]
    }

    /// All steps, in the order in which they were begun.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The ops of one step.
    pub fn step(&self, step: StepId) -> &Step {
        &self.steps[step.0]
    }

    /// The name under which a tensor was declared.
    pub fn name(&self, tensor: Tensor) -> &str {
        &self.declarations[tensor.id].name
    }

    /// What a model file holds: the trained tensors, then what was learnt beside them.
    pub fn saved(&self) -> impl Iterator<Item = &Declaration> {
        self.of_role(Role::Parameter).chain(self.of_role(Role::Statistic))
    }

    /// The tensors that are for this, in the order in which they were declared.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Declaration> {
        self.declarations.iter().filter(move |declaration| declaration.role == role)
    }

    /// The trained tensors, in the order in which they were declared.
    pub fn parameters(&self) -> impl Iterator<Item = &Declaration> {
        self.of_role(Role::Parameter)
    }
}

impl StepId {
    /// Position in [`Plan::steps`].
    pub fn index(self) -> usize {
        self.0
    }
}
