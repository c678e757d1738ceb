//! Cases of the convolution and its gradients, and of the column sum of a map, the gradient of its
//! bias.

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::TileClass;
use shadegrad::ops::{Window, column_sum, conv2d};
use shadegrad::tensor::Element;

use crate::bench::{Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::UNIT;
use crate::reference;
use crate::runner::{bits_of, check_cases};
use crate::subject::Subject;
use crate::wrong_kernels::{Edit, edits};

/// A convolution, as data.
#[derive(Clone, Copy, Debug)]
pub struct ConvolutionSize {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub filters: usize,
    pub window: Window,
}

impl ConvolutionSize {
    /// Shape of the map.
    pub fn input(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    /// Shape of the weight.
    pub fn weight(&self) -> [usize; 4] {
        [self.filters, self.window.height, self.window.width, self.channels]
    }

    /// Shape of the output.
    pub fn output(&self) -> [usize; 4] {
        let windows =
            |input: usize, size: usize| (input + 2 * self.window.padding - size) / self.window.stride + 1;
        let [height, width] =
            [windows(self.height, self.window.height), windows(self.width, self.window.width)];
        [self.batch, height, width, self.filters]
    }
}

/// Windows that are larger than the map, smaller than their stride, or all padding at the edge;
/// channels that are read one at a time and four at a time.
pub fn sizes() -> Vec<ConvolutionSize> {
    let mut sizes = Vec::new();
    let mut add = |[batch, height, width]: [usize; 3], [channels, filters]: [usize; 2], window| {
        sizes.push(ConvolutionSize { batch, height, width, channels, filters, window });
    };
    let windows = [
        Window::square(1, 1, 0),
        Window::square(1, 2, 0),
        Window::square(2, 3, 1),
        Window::square(3, 1, 1),
        Window::square(3, 2, 1),
        Window::square(5, 1, 2),
        Window::square(7, 3, 3),
        Window::square(2, 1, 3),
        Window { height: 1, width: 4, stride: 1, padding: 0 },
        Window { height: 5, width: 2, stride: 2, padding: 2 },
    ];
    let maps = [[1, 7, 7], [2, 9, 6], [5, 8, 13], [3, 10, 7]];
    let channels =
        [[1, 1], [3, 8], [5, 5], [8, 3], [16, 16], [1, 6], [3, 1], [4, 7], [8, 16], [16, 2], [12, 9]];
    for (w, &window) in windows.iter().enumerate() {
        for (m, &map) in maps.iter().enumerate() {
            // Every window is combined with other numbers of channels on every map.
            for shift in 0..2 {
                add(map, channels[(4 * w + m + 5 * shift) % channels.len()], window);
            }
        }
    }
    // Windows larger than the map, of one cell and of several.
    add([3, 1, 1], [4, 5], Window::square(3, 1, 1));
    add([2, 2, 3], [3, 4], Window::square(5, 1, 2));
    add([2, 2, 3], [8, 4], Window::square(7, 2, 3));
    // The first layer of a network, and an inner one.
    add([4, 32, 32], [3, 32], Window::square(3, 1, 1));
    add([4, 16, 16], [32, 64], Window::square(3, 1, 1));
    // Enough rows for many splits and blocks, and sums over the windows of more than one split.
    add([67, 28, 28], [1, 6], Window::square(5, 1, 2));
    add([1, 1031, 509], [3, 2], Window::square(3, 2, 1));
    sizes
}

/// Rounding error of a sum of this many products of numbers up to one.
fn sum(terms: usize) -> Tolerance {
    Tolerance::sum(terms, (terms as f64).sqrt())
}

case!(Forward { size: ConvolutionSize, bias: bool, relu: bool }, |bench| {
    let (x, x_wide) = bench.noise("x", size.input(), UNIT);
    let (weight, w_wide) = bench.noise("weight", size.weight(), UNIT);
    let b_values = bench.numbers.floats(size.filters, UNIT);
    let bias = bias.then(|| bench.floats("bias", [size.filters], &b_values));
    let y = conv2d::forward(bench.plan, x, weight, bias, relu, size.window);
    let terms = w_wide.len() / size.filters;
    bench.expect("y", y, sum(terms + 1), move || {
        let mut y = reference::conv2d(size, &x_wide, &w_wide);
        if bias.is_some() {
            y = reference::add_bias(&y, &widen(&b_values));
        }
        if relu { reference::relu(&y) } else { y }
    });
});

case!(DataGradient { size: ConvolutionSize, mask: bool }, |bench| {
    let (dy, dy_wide) = bench.noise("dy", size.output(), UNIT);
    let (weight, w_wide) = bench.noise("weight", size.weight(), UNIT);
    let mut h_values = bench.numbers.floats(size.input().iter().product(), UNIT);
    h_values.iter_mut().for_each(|h| *h = h.max(0.0));
    let mask = mask.then(|| bench.activation_input("mask", size.input(), &h_values));
    let dx = conv2d::data_gradient(bench.plan, dy, weight, size.input(), mask, size.window);
    let terms = w_wide.len() / size.channels;
    bench.expect("dx", dx, sum(terms), move || {
        let dx = reference::conv2d_data_gradient(size, &dy_wide, &w_wide);
        if mask.is_some() { reference::relu_backward(&widen(&h_values), &dx) } else { dx }
    });
});

case!(WeightGradient { size: ConvolutionSize }, |bench| {
    let (dy, dy_wide) = bench.noise("dy", size.output(), UNIT);
    let (x, x_wide) = bench.noise("x", size.input(), UNIT);
    let dw = conv2d::weight_gradient(bench.plan, dy, x, size.window);
    let db = column_sum::forward(bench.plan, dy);
    let factor = 1.0 / bench.gradient_scale(1);
    let tolerance = sum(dy_wide.len() / size.filters).times(factor);
    bench.expect_each([("dw", dw, tolerance), ("db", db, tolerance)], move || {
        let dw = reference::conv2d_weight_gradient(size, &dy_wide, &x_wide);
        let db = reference::column_sum(&dy_wide, size.filters);
        [dw, db].map(|sums| sums.into_iter().map(|sum| factor * sum).collect())
    });
});

pub fn cases() -> Cases {
    let kinds = sizes().into_iter().enumerate();
    kinds.flat_map(|(index, size)| of_size(size, index % 2 == 0, index % 3 == 0)).collect()
}

/// A convolution and its gradients, with a bias and a mask, and with a ReLU.
fn of_size(size: ConvolutionSize, with: bool, relu: bool) -> Cases {
    vec![
        Box::new(Forward { size, bias: with, relu }),
        Box::new(DataGradient { size, mask: with }),
        Box::new(WeightGradient { size }),
    ]
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let [padded, strided, wide] = ["stride: 1, padding: 1", "stride: 2, padding: 1", "stride: 1, padding: 3"];
    edits! {
        ["Forward", padded] "padding above that is no zero": "(row < params.map_height)" => "(row == row)";
        ["Forward", padded] "padding beside that is no zero":
            "(column < params.map_width)" => "(column == column)";
        ["Forward", "channels: 3"] "last channel lost": "<= vec4(last)" => "< vec4(last)";
        ["Forward", "channels: 16"] "last channels of a cell lost":
            "channel == params.cell_terms" => "channel + 4u == params.cell_terms";
        ["Forward", padded] "a row of places without end":
            "column == params.kernel_width" => "column == 9999u";
        ["Forward", "channels: 5"] "one channel twice": "min(first + 1u, last)" => "min(first, last)";
        ["Forward", strided] "columns without a stride":
            "% params.windows_width * params.stride" => "% params.windows_width";
        ["DataGradient", strided] "windows between strides": "is_cell & (map_row" => "(map_row";
        ["DataGradient", padded] "padding on the wrong side": "- params.pad_top" => "+ params.pad_top";
        ["DataGradient", padded] "places in the forward order":
            "last_place - min(" => "0u * last_place + min(";
        ["DataGradient", "filters: 16"] "one filter for four": "place.channel + index" => "place.channel";
        ["WeightGradient", wide] "lines that overlap":
            "params.line_skip, next_line" => "0u * params.line_skip, next_line";
        ["WeightGradient", wide] "images that overlap":
            "params.image_skip, next_image" => "0u * params.image_skip, next_image";
        ["WeightGradient", padded] "first row of an image lost":
            "0u - params.pad_top, next_image" => "0u, next_image";
        ["WeightGradient", "channels: 3"] "the first channel only":
            "elements % params.channels" => "0u * elements";
        ["WeightGradient", "channels: 8"] "places in one row": "place / params.kernel_width" => "0u * place";
    }
}

/// Every shape without epilogue: epilogues belong to the matrix product and are tested there.
fn bare() -> Cases {
    sizes().into_iter().flat_map(|size| of_size(size, false, false)).collect()
}

/// The cases whose descriptions contain one of these texts.
fn having(mut cases: Cases, texts: &[&str]) -> Cases {
    cases.retain(|case| texts.iter().any(|text| format!("{case:?}").contains(text)));
    cases
}

/// The GPU with each class that it may use, with or without split-K.
fn with_every_class(split_sums: bool) -> Vec<Subject> {
    let (_, facts) = Subject::gpu(Capabilities::Adapter);
    let classes = TileClass::candidates(&facts);
    assert!(classes.len() >= 3, "{classes:?}");
    classes.into_iter().map(|class| Subject::of_class(class, split_sums)).collect()
}

/// Convolutions with sums that are worth splitting, with cells that are whole vectors and cells
/// that are not.
fn cut() -> Cases {
    having(bare(), &["channels: 16, filters: 16", "channels: 3, filters: 8", "channels: 5,", "channels: 12,"])
}

/// Those of every other size: each class compiles one kernel per combination of vector accesses,
/// which takes minutes.
fn half() -> Cases {
    bare().into_iter().enumerate().filter(|(index, _)| index / 3 % 2 == 0).map(|(_, case)| case).collect()
}

/// The choice of a class affects only speed, so each must be correct for every convolution.
pub fn every_class_is_right() {
    check_cases(&half(), &Subject::cpu(), &with_every_class(false), Element::F32).assert_agreement();
    check_cases(&cut(), &Subject::cpu(), &with_every_class(true), Element::F32).assert_agreement();
}

/// The same with f16.
pub fn every_class_is_right_with_f16() {
    let some: Cases = cut().into_iter().step_by(4).collect();
    check_cases(&some, &Subject::cpu(), &with_every_class(true), Element::F16).assert_agreement();
}

/// Classes of cooperative matrices, with operands that f16 can represent.
pub fn a_cooperative_class_is_right() {
    let (_, facts) = Subject::gpu(Capabilities::Adapter);
    let cooperative = TileClass::all(&facts).into_iter().find(TileClass::is_cooperative);
    let class = cooperative.expect("the GPU has cooperative matrices");
    let gpu = |split_sums| Subject::of_class(class, split_sums);
    check_cases(&half(), &Subject::cpu(), &[gpu(false)], Element::F16).assert_agreement();
    let cut = having(bare(), &["channels: 16, filters: 16"]);
    check_cases(&cut, &Subject::cpu(), &[gpu(true)], Element::F16).assert_agreement();
}

/// The class that a tuner selects must not change a result.
pub fn every_class_gives_the_same_bits() {
    let (_, facts) = Subject::gpu(Capabilities::Adapter);
    let cases = having(bare(), &["batch: 5"]);
    let bits = |class| bits_of(&cases, &Subject::of_class(class, true), Element::F32);
    let mut classes = TileClass::candidates(&facts).into_iter();
    let first = bits(classes.next().expect("a class"));
    for class in classes {
        assert!(bits(class) == first, "{class:?}");
    }
}

/// Blocks and splits follow from sizes, not from the device.
pub fn threads_change_no_bit() {
    let many = having(cases(), &["batch: 67", "filters: 64"]);
    assert_eq!(many.len(), 6);
    let [one, five] = [1, 5].map(|threads| {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        pool.install(|| bits_of(&many, &Subject::cpu(), Element::F32))
    });
    assert!(one == five, "another number of threads, another result");
}
