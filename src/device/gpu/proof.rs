//! Checks cooperative matrices on a device before any product uses them.
//!
//! They are experimental in wgpu: its shaders do not define the visibility of writes to workgroup
//! memory around such matrices (<https://github.com/gfx-rs/wgpu/issues/8805>), and drivers differ.
//! Therefore small products run in each tile class and in one that every GPU supports. Operands are
//! small integers, so that sums of their products are exact in any order and both results must be
//! identical.

use super::context::Context;
use super::session::GpuSession;
use crate::device::interface::Session;
use crate::error::Result;
use crate::kernel::{GpuFacts, TileClass};
use crate::ops::fixture::Draft;
use crate::ops::matmul::{self, Epilogue, Form};
use crate::ops::{WithFacts, fixture};
use crate::plan::{Array, Launch, Op, Role, StepRecord};
use crate::tensor::Element;

/// Rows, columns and terms of the product: larger than a tile of most classes, not a multiple of a
/// vector, and several iterations with a remainder.
const SIZE: [usize; 3] = [133, 131, 107];

/// Returns the labels of the cooperative tile classes that are wrong on a GPU or that its driver
/// rejects. `wrap` wraps the products of those classes.
pub(super) fn wrong(
    gpu: &Context,
    facts: &GpuFacts,
    wrap: &dyn Fn(Box<dyn Op>) -> Box<dyn Op>,
) -> Vec<String> {
    let all = TileClass::all(facts);
    let (cooperative, others): (Vec<TileClass>, Vec<TileClass>) =
        all.into_iter().partition(TileClass::is_cooperative);
    let plain = others.first().expect("a class through workgroup memory, which every GPU has");
    let Ok(wanted) = products(gpu, facts, *plain, &|op| op) else {
        return cooperative.into_iter().map(TileClass::label).collect();
    };
    let is_right = |class: &TileClass| products(gpu, facts, *class, wrap).is_ok_and(|got| got == wanted);
    cooperative.into_iter().filter(|class| !is_right(class)).map(TileClass::label).collect()
}

/// Computes the product in each form with the kernels of one class.
fn products(
    gpu: &Context,
    facts: &GpuFacts,
    class: TileClass,
    wrap: &dyn Fn(Box<dyn Op>) -> Box<dyn Op>,
) -> Result<Vec<Vec<f32>>> {
    let mut draft = Draft::new("proof");
    let [m, n, k] = SIZE;
    let number = |index| (fixture::hash(index) % 33) as f32 - 16.0;
    let operand = |draft: &mut Draft, name, shape: [usize; 2]| {
        let first = 7919 * draft.inputs.len();
        let values = (first..first + shape.iter().product::<usize>()).map(number).collect();
        let tensor = draft.plan.declare(name, Role::Input, Element::F16, shape);
        draft.inputs.push((tensor, Array::F32(values)));
        tensor
    };
    let mut outputs = Vec::new();
    for (form, a, b) in [(Form::Nn, [m, k], [k, n]), (Form::Nt, [m, k], [n, k]), (Form::Tn, [k, m], [k, n])] {
        let (a, b) = (operand(&mut draft, "a", a), operand(&mut draft, "b", b));
        outputs.push(matmul::product(&mut draft.plan, form, a, b, Epilogue::None));
    }
    let facts = GpuFacts { matmul: Some(class), ..*facts };
    draft.plan.wrap_ops(&|op| -> Box<dyn Op> { wrap(Box::new(WithFacts { op, facts })) });
    // `load` cannot be used, because it needs the result of this check.
    let mut session = GpuSession::new(gpu, &facts, draft.plan)?;
    for (tensor, array) in draft.inputs {
        session.write(tensor, array)?;
    }
    let launch = Launch { step: draft.step, record: StepRecord { rows: 1, ..StepRecord::default() } };
    let ticket = session.submit(&[launch], &[], 0)?;
    session.finish(ticket)?;
    outputs.into_iter().map(|tensor| session.read(tensor).map(Array::into_f32)).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::device::gpu::Gpu;
    use crate::device::gpu::adapter::{Capabilities, adapters};
    use crate::kernel::Dispatch;
    use crate::plan::{HostMemory, Operands};

    /// An op whose kernels skip their first iteration.
    #[derive(Debug)]
    struct Forgetful(Box<dyn Op>);

    impl Op for Forgetful {
        fn name(&self) -> &'static str {
            self.0.name()
        }

        fn operands(&self) -> Operands {
            self.0.operands()
        }

        fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
            self.0.run_on_cpu(memory, step);
        }

        fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch> {
            let mut dispatches = self.0.lower(gpu);
            for dispatch in &mut dispatches {
                let kernel = dispatch.kernel.to_mut();
                let source = kernel.source.replace("k0 = begin; k0 < end", "k0 = begin + 32u; k0 < end");
                assert!(source != kernel.source, "{} has no such loop", kernel.name);
                kernel.source = Cow::Owned(source);
            }
            dispatches
        }
    }

    #[test]
    fn right_classes_are_proven_and_wrong_ones_are_disabled() {
        let found = adapters();
        let first = found.first().expect("the tests need a GPU or a software Vulkan driver");
        let gpu = Gpu::open(first, Capabilities::Adapter).expect("the GPU can be opened");
        let cooperative = |facts: &GpuFacts| -> Vec<TileClass> {
            TileClass::f16_candidates(facts).into_iter().filter(TileClass::is_cooperative).collect()
        };
        let all: Vec<TileClass> =
            TileClass::all(gpu.facts()).into_iter().filter(TileClass::is_cooperative).collect();
        assert_eq!(cooperative(gpu.facts()), [], "nothing is proven yet");
        assert_eq!(wrong(&gpu.context, gpu.facts(), &|op| op), Vec::<String>::new());
        let used = if gpu.facts().software { &[] } else { &*all };
        assert_eq!(cooperative(gpu.f16_facts()), used);
        let labels: Vec<String> = all.iter().map(|class| class.label()).collect();
        assert_eq!(wrong(&gpu.context, gpu.facts(), &|op| Box::new(Forgetful(op))), labels);
        assert_eq!(all.is_empty(), gpu.facts().cooperative.is_none());
    }
}
