//! The plan, and how it is recorded: declare tensors, begin steps, add ops.

use super::declaration::{Declaration, Role};
use super::host_memory::HostMemory;
use super::liveness;
use super::op::Op;
use super::step::{Step, StepId};
use crate::tensor::layout::FileLayout;
use crate::tensor::{Element, Shape, Tensor};

/// Tensors and recorded steps. See the [module's documentation](super).
#[derive(Debug, Default)]
pub struct Plan {
    declarations: Vec<Declaration>,
    steps: Vec<Step>,
    written: Vec<bool>,
    /// The place of each tensor, once tensors share memory.
    places: Option<Vec<usize>>,
}

impl Plan {
    /// A plan without tensors and steps.
    pub fn new() -> Self {
        Plan::default()
    }

    /// Declares a tensor.
    ///
    /// # Panics
    /// If it has no elements, or more than an index of 32 bits can address.
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

    /// Declares an f32 tensor that lives within the step being recorded.
    #[track_caller]
    pub fn scratch(&mut self, name: impl Into<String>, shape: impl Into<Shape>) -> Tensor {
        self.scratch_of(Element::F32, name, shape)
    }

    /// Declares a tensor of this element type that lives within the step being recorded.
    #[track_caller]
    pub fn scratch_of(
        &mut self,
        element: Element,
        name: impl Into<String>,
        shape: impl Into<Shape>,
    ) -> Tensor {
        self.declare(name, Role::Scratch, element, shape)
    }

    /// Declares a batch of pixels, `[batch, pixels]`, that lives within the step being recorded and
    /// is normalised by `normalisation`.
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

    /// Sets the layout of the tensor in files.
    pub fn lay_out(&mut self, tensor: Tensor, layout: FileLayout) {
        self.declarations[tensor.id].file_layout = Some(layout);
    }

    /// The normalisation of a tensor of pixels; `None` for other tensors.
    pub fn normalisation(&self, tensor: Tensor) -> Option<Tensor> {
        self.declarations[tensor.id].normalisation
    }

    /// Begins a new step: ops recorded from now on belong to it.
    pub fn begin(&mut self, name: &'static str) -> StepId {
        self.written.fill(false);
        self.steps.push(Step { name, ops: Vec::new() });
        StepId(self.steps.len() - 1)
    }

    /// Adds an op to the step being recorded.
    ///
    /// # Panics
    /// If no step was begun, if the op reads a scratch tensor that no earlier op of this step has
    /// written, or if it both reads and writes one tensor, or writes it twice.
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
            // Compare ids: two views of a tensor have different shapes.
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

    /// Lets scratch tensors that are never live at the same time share memory. Call it after the
    /// last op is recorded. `kept` lists the scratch tensors that the host reads after a step;
    /// others may be overwritten.
    pub fn share_scratch(&mut self, kept: &[Tensor]) {
        self.places = Some(liveness::assign(&self.declarations, &self.steps, kept));
    }

    /// The place of a tensor: the id of the tensor in whose memory it lies. Tensors with the same
    /// place share memory, which has the size of that tensor.
    pub fn place(&self, tensor: Tensor) -> usize {
        self.places.as_ref().map_or(tensor.id, |places| places[tensor.id])
    }

    /// Host memory for all tensors, initially zero.
    pub fn host_memory(&self) -> HostMemory {
        HostMemory::new(self.declarations.iter().map(|declaration| declaration.tensor), |tensor| {
            self.place(tensor)
        })
    }

    /// Bytes of all tensors; `size` returns the bytes of one element.
    pub fn bytes(&self, size: impl Fn(Element) -> usize) -> usize {
        let has_memory = |declaration: &&Declaration| self.place(declaration.tensor) == declaration.tensor.id;
        let tensors = self.declarations.iter().filter(has_memory).map(|declaration| declaration.tensor);
        tensors.map(|tensor| tensor.len() * size(tensor.element)).sum()
    }

    /// Replaces every recorded op with `wrap(op)`. Tests use it to intercept ops.
    pub fn wrap_ops(&mut self, mut wrap: impl FnMut(Box<dyn Op>) -> Box<dyn Op>) {
        for step in &mut self.steps {
            step.ops = std::mem::take(&mut step.ops).into_iter().map(&mut wrap).collect();
        }
    }

    /// All tensors, in the order of their ids.
    pub fn declarations(&self) -> &[Declaration] {
        &self.declarations
    }

    /// Whether any tensor has this element type.
    pub fn has(&self, element: Element) -> bool {
        self.declarations.iter().any(|declaration| declaration.tensor.element == element)
    }

    /// The declaration of a tensor.
    pub fn declaration(&self, tensor: Tensor) -> &Declaration {
        &self.declarations[tensor.id]
    }

    /// All steps, in the order in which they were begun.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// One step with its ops.
    pub fn step(&self, step: StepId) -> &Step {
        &self.steps[step.0]
    }

    /// The name of a tensor.
    pub fn name(&self, tensor: Tensor) -> &str {
        &self.declarations[tensor.id].name
    }

    /// The tensors of a model file: parameters, then statistics.
    pub fn saved(&self) -> impl Iterator<Item = &Declaration> {
        self.of_role(Role::Parameter).chain(self.of_role(Role::Statistic))
    }

    /// The tensors with this role, in the order of their declaration.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Declaration> {
        self.declarations.iter().filter(move |declaration| declaration.role == role)
    }

    /// The parameters, in the order of their declaration.
    pub fn parameters(&self) -> impl Iterator<Item = &Declaration> {
        self.of_role(Role::Parameter)
    }
}
