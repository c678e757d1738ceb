//! Cases of the matrix product: three forms, every epilogue, and every tile class.

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::{CooperativeMatrix, GpuFacts, TileClass};
use shadegrad::ops::matmul::gpu::EPILOGUES;
use shadegrad::ops::matmul::{self, Epilogue, Form, Size};
use shadegrad::ops::{Rate, gather};
use shadegrad::plan::{Array, Plan, StepRecord};
use shadegrad::tensor::Element;

use super::gather::Store;
use super::sgd::{Kind, SgdUpdate, UPDATES};
use super::within_f16;
use crate::bench::{Bench, Case, Cases, PLAIN_RUN, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::runner::{bits_of, check_cases};
use crate::subject::Subject;
use crate::update_steps::RATES;
use crate::wrong_kernels::{Edit, edits};

pub const FORMS: [Form; 3] = [Form::Nn, Form::Nt, Form::Tn];

/// The epilogue, without its tensors.
#[derive(Clone, Copy, Debug)]
pub enum After {
    Nothing,
    Bias,
    BiasRelu,
    Mask,
}

/// Shapes of the operands of a product in memory.
pub fn operand_shapes(form: Form, Size { m, n, k }: Size) -> ([usize; 2], [usize; 2]) {
    match form {
        Form::Nn => ([m, k], [k, n]),
        Form::Nt => ([m, k], [n, k]),
        Form::Tn => ([k, m], [k, n]),
    }
}

/// The magnitude of a sum of `k` products.
fn magnitude(size: Size, range: f32) -> f64 {
    (size.k as f64).sqrt() * f64::from(range).powi(2)
}

// A product with an output.
case!(Product { form: Form, size: Size, after: After, range: f32 }, |bench| {
    let Size { m, n, k } = size;
    let (a_shape, b_shape) = operand_shapes(form, size);
    let [a_values, b_values] = [m * k, k * n].map(|length| bench.numbers.floats(length, range));
    let element = bench.element;
    // The last layer of a model: its weight and the gradient of the logits are f32.
    let is_last = (m + n).is_multiple_of(3);
    let [a_type, b_type, y_type] = match (form, is_last) {
        (Form::Nn, true) => [Element::F32, Element::F32, element],
        (Form::Nt, true) => [element, Element::F32, Element::F32],
        (Form::Tn, true) => [Element::F32, element, Element::F32],
        (Form::Nn | Form::Nt, false) => [element; 3],
        (Form::Tn, false) => [element, element, Element::F32],
    };
    let a = bench.floats_of(a_type, "a", a_shape, &a_values);
    let b = bench.floats_of(b_type, "b", b_shape, &b_values);
    let factor = match form {
        Form::Nn if a_type != y_type => bench.gradient_scale(1),
        Form::Tn if a_type != y_type => 1.0 / bench.gradient_scale(1),
        _ => 1.0,
    };
    let extra_values = match after {
        After::Nothing => Vec::new(),
        After::Bias | After::BiasRelu => bench.numbers.floats(n, range),
        // The output of a ReLU: half of it zeros, where the gradient stops.
        After::Mask => {
            let values = bench.numbers.floats(m * n, range);
            values.into_iter().map(|value| value.max(0.0)).collect()
        }
    };
    let epilogue = match after {
        After::Nothing => Epilogue::None,
        After::Bias => Epilogue::Bias { bias: bench.floats("bias", [n], &extra_values), relu: false },
        After::BiasRelu => Epilogue::Bias { bias: bench.floats("bias", [n], &extra_values), relu: true },
        After::Mask => Epilogue::Mask(bench.floats_of(y_type, "mask", [m, n], &extra_values)),
    };
    let y = matmul::product_in(bench.plan, y_type, form, a, b, epilogue);
    let tolerance = Tolerance::sum(k, factor * magnitude(size, range) + f64::from(range));
    bench.expect("y", y, tolerance, move || {
        let a: Vec<f64> = a_values.iter().map(|&a| factor * f64::from(a)).collect();
        let product = reference::matmul(form, size, &a, &widen(&b_values));
        let extra = widen(&extra_values);
        match after {
            After::Nothing => product,
            After::Bias => reference::add_bias(&product, &extra),
            After::BiasRelu => reference::relu(&reference::add_bias(&product, &extra)),
            After::Mask => reference::relu_backward(&extra, &product),
        }
    });
});

/// A product that is the gradient of a weight, with several steps of the weight's and a bias's
/// update.
#[derive(Debug)]
struct Descent {
    size: Size,
    momentum: Kind,
    decay: f32,
    range: f32,
    with_bias: bool,
}

impl Descent {
    /// Declares a parameter whose rate and decay are the case's times these factors.
    fn update(&self, bench: &mut Bench, name: &str, shape: &[usize], [rate, decay]: [f32; 2]) -> SgdUpdate {
        let kind = (self.momentum, decay * self.decay, Rate::Scaled(rate));
        SgdUpdate::new(bench, name, shape, self.range, kind)
    }

    /// A velocity sums at most three gradients, three decayed weights and its initial value.
    fn tolerance(&self) -> Tolerance {
        let most = 3.0 * magnitude(self.size, self.range) + 4.0 * f64::from(self.range);
        Tolerance::sum(self.size.k, most)
    }
}

impl Case for Descent {
    fn record(&self, bench: &mut Bench) {
        let &Descent { size, range, with_bias, .. } = self;
        let Size { m, n, k } = size;
        let (a, mut a_wide) = bench.noise("a", [k, m], range);
        let (b, b_wide) = bench.noise("b", [k, n], range);
        let factor = 1.0 / bench.gradient_scale(1);
        let weight = self.update(bench, "w", &[m, n], [0.75, 1.0]);
        // A bias has its own learning rate and decay.
        let bias = with_bias.then(|| self.update(bench, "bias", &[m], [1.25, 0.5]));
        matmul::update(bench.plan, a, b, weight.update, bias.as_ref().map(|bias| bias.update));
        bench.run_with(&RATES.map(|learning_rate| StepRecord { learning_rate, ..PLAIN_RUN }));
        a_wide.iter_mut().for_each(|a| *a *= factor);
        if let Some(bias) = bias {
            let a = a_wide.clone();
            bias.expect(bench, self.tolerance(), move || reference::column_sum(&a, m));
        }
        weight.expect(bench, self.tolerance(), move || reference::matmul(Form::Tn, size, &a_wide, &b_wide));
    }
}

// A batch of pixels as the input of a layer: its forward pass, or the update of its weight.
case!(OfPixels {
    store: Store,
    /// Rows of the batch, and number of them that hold an image.
    batch: usize,
    rows: usize,
    outputs: usize,
    backward: Option<Kind>,
}, |bench| {
    // If products have f16 operands, cooperative matrices round normalised pixels to f16.
    let element = bench.element;
    let filled = match element {
        Element::F16 => {
            let factors = bench.numbers.exact_factors(store.shape[0]);
            store.fill_with(bench, &factors)
        }
        _ => store.fill(bench),
    };
    let inputs = store.pixels();
    let picks = bench.numbers.indices(batch, store.images());
    let order = bench.input("order", [batch], Array::U32(picks.clone()));
    let x = gather::pixels(bench.plan, &filled.images, order, batch, element).x;
    assert_eq!(x.element(), Element::Pixel, "{store:?}");
    let picks: Vec<usize> = picks.into_iter().map(|image| image as usize).collect();
    let records = RATES.map(|learning_rate| StepRecord { rows: rows as u32, learning_rate, ..PLAIN_RUN });
    bench.run_with(&records);
    let Some(momentum) = backward else {
        assert_eq!(rows, batch, "what rows without an image hold is up to the device");
        let values = bench.numbers.floats(outputs * inputs, UNIT);
        let w = bench.activation_input("w", [outputs, inputs], &values);
        let bias_values = bench.numbers.floats(outputs, UNIT);
        let bias = bench.floats("bias", [outputs], &bias_values);
        let epilogue = Epilogue::Bias { bias, relu: true };
        let y = matmul::product_in(bench.plan, element, Form::Nt, x, w, epilogue);
        // 255 times a factor of 2, plus a shift.
        let tolerance = Tolerance::sum(inputs, (inputs as f64).sqrt() * 512.0);
        bench.expect("y", y, tolerance, move || {
            let size = Size { m: batch, n: outputs, k: inputs };
            let product = reference::matmul(Form::Nt, size, &filled.normalised(&picks), &widen(&values));
            reference::relu(&reference::add_bias(&product, &widen(&bias_values)))
        });
        return;
    };
    // The gradient of a row without an image is zero.
    let mut gradient = bench.numbers.floats(batch * outputs, UNIT / 512.0);
    gradient[rows * outputs..].fill(0.0);
    let dy = bench.activation_input("dy", [batch, outputs], &gradient);
    let factor = 1.0 / bench.gradient_scale(rows);
    let size = Size { m: outputs, n: inputs, k: batch };
    let descent = Descent { size, momentum, decay: 0.25, range: UNIT, with_bias: true };
    let weight = descent.update(bench, "w", &[outputs, inputs], [0.5, 1.0]);
    let bias = descent.update(bench, "bias", &[outputs], [1.0, 0.5]);
    matmul::update(bench.plan, dy, x, weight.update, Some(bias.update));
    let dy: Vec<f64> = gradient.iter().map(|&dy| factor * f64::from(dy)).collect();
    bias.expect(bench, descent.tolerance(), {
        let dy = dy.clone();
        move || reference::column_sum(&dy, outputs)
    });
    let x = filled.normalised(&picks);
    weight.expect(bench, descent.tolerance(), move || reference::matmul(Form::Tn, size, &dy, &x));
});

// A product that is the change of a weight in a block of steps, during which the weight decays.
case!(Change { size: Size, decay: f32, rows: u32 }, |bench| {
    let Size { m, n, k } = size;
    let [a_values, b_values, weights] =
        [k * m, k * n, m * n].map(|length| bench.numbers.floats(length, UNIT));
    let a = bench.floats("a", [k, m], &a_values);
    let b = bench.floats("b", [k, n], &b_values);
    let w = bench.parameter("w", [m, n], &weights);
    matmul::change(bench.plan, a, b, w, decay);
    bench.run_with(&[StepRecord { rows, ..PLAIN_RUN }]);
    bench.expect("w", w, Tolerance::sum(k, magnitude(size, UNIT) + 1.0), move || {
        let product = reference::matmul(Form::Tn, size, &widen(&a_values), &widen(&b_values));
        let kept = (1.0 - f64::from(PLAIN_RUN.learning_rate) * f64::from(decay)).powi(rows as i32);
        widen(&weights).iter().zip(product).map(|(w, product)| kept * w - product).collect()
    });
});

fn shapes() -> Vec<(usize, usize, usize)> {
    let mut shapes = vec![
        // Primes, and sizes of models.
        (13, 29, 101),
        (127, 131, 137),
        (64, 10, 784),
        (50, 128, 10),
        (100, 100, 100),
        (256, 96, 30),
        (1, 10, 300),
        (257, 255, 256),
        // Long sums.
        (3, 5, 4096),
        (2, 3, 10_007),
        (4, 8, 65_536),
    ];
    // Around every tile's edge in each of the three directions, with and without whole vectors.
    for edge in [7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 257] {
        shapes.extend([(edge, 7, 12), (5, edge, 9), (8, 4, edge), (edge, edge, 5)]);
    }
    for m in [1, 2, 3, 4] {
        for n in [1, 3, 4] {
            shapes.extend([(m, n, 1), (m, n, 3), (m, n, 4)]);
        }
    }
    shapes
}

/// Few shapes, for the many epilogues: one tile and more. An epilogue depends only on whether a row
/// of the product has whole vectors, so all sizes here are whole or none are. Every kernel that
/// this saves takes a software driver half a second to compile.
const EPILOGUE_SHAPES: [(usize, usize, usize); 8] =
    [(1, 1, 1), (3, 2, 5), (8, 4, 8), (33, 31, 17), (32, 20, 64), (65, 67, 33), (20, 68, 40), (64, 128, 96)];

fn size((m, n, k): (usize, usize, usize)) -> Size {
    Size { m, n, k }
}

fn product(form: Form, shape: (usize, usize, usize), after: After, range: f32) -> Box<dyn Case> {
    Box::new(Product { form, size: size(shape), after, range })
}

fn products(form: Form) -> impl Iterator<Item = Box<dyn Case>> {
    shapes().into_iter().map(move |shape| product(form, shape, After::Nothing, UNIT))
}

fn epilogues(shapes: &[(usize, usize, usize)]) -> Cases {
    let mut cases: Cases = Vec::new();
    for (index, &shape) in shapes.iter().enumerate() {
        for form in FORMS {
            for after in [After::Bias, After::BiasRelu, After::Mask] {
                cases.push(product(form, shape, after, [UNIT, LARGE, TINY][index % 3]));
            }
            cases.extend([LARGE, TINY].map(|range| product(form, shape, After::Nothing, range)));
        }
        for (momentum, decay) in UPDATES {
            for with_bias in [false, true] {
                cases.push(Box::new(Descent { size: size(shape), momentum, decay, range: UNIT, with_bias }));
            }
        }
        for (decay, rows) in [(0.0, 32), (0.05, 1), (0.08, 31), (1e-6, 32)] {
            cases.push(Box::new(Change { size: size(shape), decay, rows }));
        }
    }
    cases
}

/// Batches of pixels: channels that end within a tile, and within a split of the sums.
fn of_pixels() -> Cases {
    let mut cases: Cases = Vec::new();
    for (shape, batch, outputs) in [
        ([1, 4, 4], 1, 1),
        ([3, 2, 8], 7, 33),
        ([2, 6, 8], 33, 68),
        ([3, 12, 12], 20, 10),
        ([1, 28, 28], 64, 100),
        ([3, 32, 32], 5, 8),
    ] {
        let store = Store { shape, pieces: (2, 9, 5) };
        let case = |rows, backward| Box::new(OfPixels { store, batch, rows, outputs, backward });
        cases.push(case(batch, None));
        for momentum in [None, Some((0.9, true))] {
            cases.push(case(batch, Some(momentum)));
            cases.push(case(batch.div_ceil(2), Some(momentum)));
        }
    }
    cases
}

/// With the default class of each shape: all shapes in the form of a layer's forward pass.
pub fn cases() -> Cases {
    let mut cases: Cases = products(Form::Nt).collect();
    cases.extend(epilogues(&EPILOGUE_SHAPES[5..7]));
    cases.extend(of_pixels());
    // More than 65,535 tiles of every class, along both sides of the product; sums that must be
    // split.
    for shape in [(1, 2, 1_048_017), (65_536 * 64 + 3, 1, 1), (1, 65_536 * 64 + 3, 1)] {
        cases.push(product(Form::Nt, shape, After::Nothing, UNIT));
    }
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let one_wrong = "y[i] = product + select(0.0, 0.05, i == 12345u);";
    let (with_bias, channels) = ("range: 1.0, with_bias: true", "shape: [3, 2, 8]");
    edits! {
        // An error of a hundredth of the product's size in one of 65,535 elements, which the mean
        // does not show.
        ["m: 257, n: 255"] "one wrong element": "y[i] = product;" => one_wrong;
        ["m: 127, n: 131"] "transposed output":
            "let i = row * params.n + column;" => "let i = column * params.m + row;";
        ["n: 10, k: 784"] "last row not written": "(row < params.m)" => "(row + 1u < params.m)";
        ["n: 29, k: 101"] "last term dropped": "k0 < end;" => "k0 + 1u < end;";
        ["after: Mask"] "mask that lets zeros through": "mask[i] > " => "mask[i] >= ";
        ["after: Bias,"] "bias of the first column": "bias[column" => "bias[0u * column";
        ["momentum: None"] "update uphill": "y[i] = old - " => "y[i] = old + ";
        ["momentum: None, decay: 0.25", with_bias] "bias that decays like the weight":
            "params.bias_decay" => "params.decay";
        ["momentum: None, decay: 0.25", with_bias] "one row of each four lost":
            "sums0 += a0" => "sums0 += vec4(a0.xyz, 0.0)";
        [channels] "first channel's factors, pixels": "1u) / params.plane]" => "1u) * 0u]";
        [channels] "a channel that never ends": "channel_end = (" => "channel_end = 9999u + (";
        [channels] "pixels of the wrong image": "within - params.piece_images" => "within";
        ["Change"] "decay of a block lost": "decayed * old" => "0.0 * decayed";
        in F16 ["momentum: None, decay: 0.0", with_bias] "update by a gradient with its scale":
            " / gradient_scale()" => "";
        in F16 ["rows: 32"] "scale of one image": "max(step.rows, 1u)" => "max(step.rows - step.rows, 1u)";
        in F16 ["form: Nn, size: Size { m: 65, n: 67"] "gradient without its scale":
            " * gradient_scale()" => "";
    }
}

/// The templates know epilogues by name; each must be covered by a case.
pub fn every_epilogue_has_cases() {
    let facts = GpuFacts { split_sums: true, ..GpuFacts::default() };
    let mut plan = Plan::new();
    for case in epilogues(&EPILOGUE_SHAPES).iter().chain(&cut_sums()) {
        Bench::record(&mut plan, &**case, Element::F32);
    }
    let ops = plan.steps().iter().flat_map(|step| &step.ops);
    let kernels: Vec<_> = ops.flat_map(|op| op.lower(&facts)).map(|dispatch| dispatch.kernel).collect();
    for epilogue in EPILOGUES {
        let named = |kernel: &str| {
            ["_tiled_", "_rows_tiled_"].iter().any(|end| kernel.contains(&format!("_{epilogue}{end}")))
        };
        assert!(kernels.iter().any(|kernel| named(&kernel.name)), "no case takes {epilogue}");
    }
}

/// Products with split-K sums, split at unusual places: an end within a round, one term in the last
/// split.
fn cut_sums() -> Cases {
    let mut cases: Cases = Vec::new();
    for shape in [(1, 1, 192), (3, 5, 1009), (20, 8, 784), (33, 31, 385), (64, 128, 784), (100, 12, 3073)] {
        for form in FORMS {
            for after in [After::Nothing, After::Bias, After::BiasRelu, After::Mask] {
                cases.push(product(form, shape, after, UNIT));
            }
        }
        for (momentum, with_bias) in
            [(None, false), (None, true), (Some((0.9, false)), true), (Some((0.9, true)), false)]
        {
            let size = size(shape);
            cases.push(Box::new(Descent { size, momentum, decay: 0.25, range: UNIT, with_bias }));
        }
    }
    cases
}

/// The class that a tuner selects must not change a result: all of its candidates add terms in one
/// order.
pub fn every_class_gives_the_same_bits() {
    gives_the_same_bits(Element::F32, &TileClass::candidates(&facts()));
}

/// The same with f16.
pub fn every_class_gives_the_same_bits_with_f16() {
    gives_the_same_bits(Element::F16, &TileClass::candidates(&facts()));
}

/// Those of cooperative matrices add in an order of their own.
pub fn every_cooperative_class_gives_the_same_bits() {
    gives_the_same_bits(Element::F16, &TileClass::f16_candidates(&proven()));
}

fn gives_the_same_bits(element: Element, classes: &[TileClass]) {
    for split_sums in [false, true] {
        let mut cases = cut_sums();
        cases.extend(epilogues(&EPILOGUE_SHAPES[5..7]));
        cases.extend(of_pixels());
        if element == Element::F16 {
            // Only loads and stores differ. A few shapes of each form and epilogue are enough.
            cases = cases.into_iter().step_by(5).collect();
        }
        let mut first: Option<(TileClass, Vec<Vec<u64>>)> = None;
        for &class in classes {
            let bits = bits_of(&cases, &Subject::of_class(class, split_sums), element);
            match &first {
                None => first = Some((class, bits)),
                Some((other, expected)) => {
                    for (index, (bits, expected)) in bits.iter().zip(expected).enumerate() {
                        assert!(bits == expected, "{class:?} differs from {other:?} in output {index}");
                    }
                }
            }
        }
    }
}

/// Facts about the GPU under test.
fn facts() -> GpuFacts {
    Subject::gpu(Capabilities::Adapter).1
}

/// As if the GPU had proven its cooperative matrices. On a software driver they are for tests only.
fn proven() -> GpuFacts {
    GpuFacts { proven: true, software: false, ..facts() }
}

/// All cases, without split-K.
fn whole() -> Cases {
    let mut cases: Cases = FORMS.into_iter().flat_map(products).collect();
    cases.extend(epilogues(&EPILOGUE_SHAPES));
    cases.extend(of_pixels());
    cases
}

/// All cases, with split-K.
fn cut() -> Cases {
    let mut cases = cut_sums();
    cases.extend(of_pixels());
    cases
}

/// Cases with one element type, without and with split-K.
struct Suite(Element, Cases, Cases);

/// The choice of a class affects only speed, so each must be correct for every shape.
fn check_classes(classes: &[TileClass], suites: &[Suite]) {
    let gpus = |split_sums| -> Vec<Subject> {
        classes.iter().map(|&class| Subject::of_class(class, split_sums)).collect()
    };
    for Suite(element, whole, cut) in suites {
        check_cases(whole, &Subject::cpu(), &gpus(false), *element).assert_agreement();
        check_cases(cut, &Subject::cpu(), &gpus(true), *element).assert_agreement();
    }
}

/// All cases with f32.
fn f32_suite() -> Suite {
    Suite(Element::F32, whole(), cut())
}

/// Some of the cases with f16.
fn f16_suite() -> Suite {
    Suite(Element::F16, within_f16(epilogues(&EPILOGUE_SHAPES[4..7])), within_f16(cut_sums()))
}

/// Classes of one kind that the GPU under test uses.
fn classes(is_kind: fn(&TileClass) -> bool) -> Vec<TileClass> {
    TileClass::all(&facts()).into_iter().filter(is_kind).collect()
}

fn tiled() -> Vec<TileClass> {
    classes(|class| matches!(class, TileClass::Tiled { .. }))
}

/// No classes on adapters without subgroups; others are asserted to have some.
fn subgroup() -> Vec<TileClass> {
    let facts = facts();
    let subgroup = classes(|class| matches!(class, TileClass::Subgroup { .. }));
    assert!(subgroup.len() >= if facts.subgroup_size.is_some() { 2 } else { 0 }, "{facts:?}");
    subgroup
}

pub fn every_tiled_class_is_right() {
    assert!(!tiled().is_empty());
    check_classes(&tiled(), &[f32_suite()]);
}

pub fn every_tiled_class_is_right_with_f16() {
    check_classes(&tiled(), &[f16_suite()]);
}

pub fn every_subgroup_class_is_right() {
    check_classes(&subgroup(), &[f32_suite()]);
}

pub fn every_subgroup_class_is_right_with_f16() {
    check_classes(&subgroup(), &[f16_suite()]);
}

/// A GPU without cooperative matrices has no classes of them.
pub fn no_class_is_of_what_is_not_there() {
    let without = GpuFacts { cooperative: None, ..proven() };
    assert!(!TileClass::all(&without).iter().any(TileClass::is_cooperative));
    assert_eq!(TileClass::f16_candidates(&without), TileClass::candidates(&without));
}

/// Cooperative matrices take f16 operands and add in f32: for operands that f16 can represent, they
/// must be as accurate as the others.
pub fn every_cooperative_class_is_right() {
    let facts = proven();
    let cooperative = classes(TileClass::is_cooperative);
    let matrix = facts.cooperative.expect("the GPU has cooperative matrices");
    assert!(cooperative.len() >= 2, "{facts:?}");
    assert_eq!(TileClass::f16_candidates(&facts), cooperative);
    assert!(
        !TileClass::candidates(&facts).iter().any(TileClass::is_cooperative),
        "32-bit operands would be rounded"
    );
    // The other layout of workgroup memory, which only Metal needs.
    let scalars = TileClass::Cooperative {
        matrix: CooperativeMatrix { vec4_loads: !matrix.vec4_loads, ..matrix },
        lanes: facts.subgroup_size.expect("subgroups of one size"),
        rows: 2,
        columns: 1,
        subgroups_m: 1,
        subgroups_n: 2,
    };
    // A software driver compiles large tiles for seconds each; the result of a sum does not depend
    // on the tile.
    let all = Suite(Element::F16, within_f16(whole()), within_f16(cut()));
    check_classes(&cooperative[..1], &[all]);
    let rest: Vec<TileClass> = cooperative[1..].iter().copied().chain([scalars]).collect();
    let mut few = of_pixels();
    few.extend(FORMS.into_iter().flat_map(products));
    let few = Suite(Element::F16, within_f16(few), within_f16(cut_sums().split_off(90)));
    check_classes(&rest, &[few]);
}
