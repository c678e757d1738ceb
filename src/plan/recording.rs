//! Recording a plan: tensors are declared, steps begun, ops added.

use super::declaration::{Declaration, Role};
use super::host_memory::HostMemory;
use super::liveness;
use super::op::Op;
use super::step::{Step, StepId};
use crate::tensor::layout::FileLayout;
use crate::tensor::{Element, Shape, Tensor};

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
        self.places = Some(liveness::assign(&self.declarations, &self.steps, kept));
    }

    /// Which memory a tensor lies in: tensors with one place, a position in the table of tensors, lie in the same. It has the
    /// size of that tensor.
    pub fn place(&self, tensor: Tensor) -> usize {
        self.places.as_ref().map_or(tensor.id, |places| places[tensor.id])
    }

    /// Memory of this computer for all tensors, zeros at first.
    pub fn host_memory(&self) -> HostMemory {
        HostMemory::new(self.declarations.iter().map(|declaration| declaration.tensor), |tensor| {
            self.place(tensor)
        })
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
