//! Tests of the test harness: ops with deliberate errors, in a GPU's shader or in the CPU's memory,
//! must each be reported.

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::{GpuFacts, TileClass};
use shadegrad::plan::AlteredOp;
use shadegrad::tensor::Element;

use crate::bench::Cases;
use crate::cases::{
    activation, adam, add as add_op, average, average_pool, batch_norm, cast, classifier, clip_norm,
    column_sum, conv2d, dropout, gather, l2_penalty, lion, matmul, max_pool, muon, online_steps, relu, sgd,
    softmax_cross_entropy,
};
use crate::runner::check_cases;
use crate::samples::wrong_op::{edited, tampered};
use crate::subject::Subject;

/// A wrong edit of a shader's text, applied to every kernel that contains `from`. An edit that fits
/// none is not detected and fails the test.
#[derive(Clone, Copy, Debug)]
struct Edit {
    name: &'static str,
    from: &'static str,
    to: &'static str,
}

/// At most this many of a suite's cases are tried; the first ones that fit are small.
const CASES: usize = 12;

/// The first of the cases whose description contains `text`.
fn some(cases: Cases, text: &str) -> Cases {
    let mut fitting = cases;
    fitting.retain(|case| format!("{case:?}").contains(text));
    fitting.truncate(CASES);
    assert!(!fitting.is_empty(), "no case has {text:?}");
    fitting
}

/// The first of the cases of one pass whose description contains `text`.
fn some_of(mut cases: Cases, pass: &str, text: &str) -> Cases {
    cases.retain(|case| format!("{case:?}").starts_with(pass));
    some(cases, text)
}

/// Every case must pass without the fault; with it, only complaints about the faulty side may come.
fn must_fail(name: &str, cases: &Cases, cpu: &Subject, gpus: &[Subject], element: Element) {
    let report = check_cases(cases, cpu, gpus, element);
    assert!(!report.failures.is_empty(), "{name} went unnoticed in {cases:?}");
    for failure in &report.failures {
        assert!(failure.contains(name), "{failure:?} is not about {name}");
    }
}

fn edits() -> Vec<(Cases, Edit)> {
    let mut edits = Vec::new();
    let mut add = |cases: Cases, name, from, to| edits.push((cases, Edit { name, from, to }));
    let relu = |text| some(relu::cases(), text);
    let matmul = |text| some(matmul::cases(), text);
    let softmax = |text| some(softmax_cross_entropy::cases(), text);

    let select = "select(value, 0.0, value < 0.0)";
    add(relu("Forward"), "sign flip", select, "-select(value, 0.0, value < 0.0)");
    add(relu("Forward"), "NaN", select, "bitcast<f32>(0x7fc00000u | (i & 0u))");
    add(relu("Forward"), "last element not written", "i < params.length", "i + 1u < params.length");
    add(relu("Forward"), "stale output added", "y[i] = ", "y[i] += ");
    add(relu("Special"), "NaN lost", select, "max(value, 0.0)");
    let group = "group.y * groups.x + group.x";
    add(relu("16777293"), "second dimension of the grid ignored", group, "group.x");
    add(relu("Backward"), "mask that lets zeros through", "y[i] > Stored", "y[i] >= Stored");

    // An error of a hundredth of the product's size in one of 65,535 elements, which the mean does
    // not show.
    let one_wrong = "y[i] = product + select(0.0, 0.05, i == 12345u);";
    add(matmul("m: 257, n: 255"), "one wrong element", "y[i] = product;", one_wrong);
    let transposed = "let i = column * params.m + row;";
    add(matmul("m: 127, n: 131"), "transposed output", "let i = row * params.n + column;", transposed);
    add(matmul("n: 10, k: 784"), "last row not written", "(row < params.m)", "(row + 1u < params.m)");
    add(matmul("n: 29, k: 101"), "last term dropped", "k0 < end;", "k0 + 1u < end;");
    add(matmul("after: Mask"), "mask that lets zeros through", "mask[i] > ", "mask[i] >= ");
    add(matmul("after: Bias,"), "bias of the first column", "bias[column", "bias[0u * column");
    add(matmul("momentum: None"), "update uphill", "y[i] = old - ", "y[i] = old + ");
    let with_bias = || matmul("momentum: None, decay: 0.25, range: 1.0, with_bias: true");
    add(with_bias(), "bias that decays like the weight", "params.bias_decay", "params.decay");
    add(with_bias(), "one row of each four lost", "sums0 += a0", "sums0 += vec4(a0.xyz, 0.0)");

    let channels = || matmul("shape: [3, 2, 8]");
    add(channels(), "first channel's factors, pixels", "1u) / params.plane]", "1u) * 0u]");
    add(channels(), "a channel that never ends", "channel_end = (", "channel_end = 9999u + (");
    add(channels(), "pixels of the wrong image", "within - params.piece_images", "within");
    add(matmul("Change"), "decay of a block lost", "decayed * old", "0.0 * decayed");

    let online = |text| some(online_steps::cases(), text);
    let decaying = || online("rows: 32, hidden: 31, classes: 37, weight_decay: 0.08");
    add(decaying(), "first weight that does not decay", "z *= 1.0 - decayed;", "z *= 1.0;");
    add(decaying(), "norm that does not decay", "kept *= c * c;", "kept *= c;");
    add(decaying(), "earlier norms forgotten", "added = c * c * added", "added = 0.0");
    add(decaying(), "norm that forgets the image's", "found.y * length", "found.y");
    add(decaying(), "norm of the second weight lost", "squares += w * w;", "squares = w * w;");
    add(online("rows: 17"), "change of the padding", "t < rows);", "true);");
    add(online("rows: 32"), "earlier steps forgotten", "z -= overlaps", "z -= 0.0 * overlaps");

    let row = "x[row * params.columns + column]";
    let next_row = "x[(row + 1u) * params.columns + column]";
    add(some(column_sum::cases(), ""), "off by one row", row, next_row);
    add(
        some(column_sum::cases(), ""),
        "stale output added",
        "params.columns + column] = sums",
        "params.columns + column] += sums",
    );

    let nesterov = "params.nesterov == 1u";
    add(some(sgd::cases(), "true"), "nesterov off", nesterov, "params.nesterov == 2u");
    add(some(sgd::cases(), "decay: 0.25"), "decay lost", "params.decay * old", "0.0");
    add(some(l2_penalty::cases(), ""), "first slot", "ring[step.slot * ", "ring[0u * step.slot * ");

    let adam = |text| some(adam::cases(), text);
    add(adam("1e-8, 0.0, 0.25"), "decoupled decay lost", "params.decoupled * old", "0.0");
    add(adam("1e-8, 0.25, 0.0"), "coupled decay lost", "params.coupled * old", "0.0");
    add(adam(""), "root not corrected", "sqrt(square) * step.root_scale", "sqrt(square)");
    add(
        adam("0.5, 0.125"),
        "epsilon under the root",
        "sqrt(square) * step.root_scale + params.epsilon",
        "sqrt(square + params.epsilon) * step.root_scale",
    );
    let averages = |text| some_of(average::cases(), text, "1009");
    add(
        averages("Follow"),
        "average of the last step alone",
        "step.average_share * (w[i] - old)",
        "(w[i] - old)",
    );
    add(
        averages("Exchange"),
        "average put in place and forgotten",
        "average[i] = old;",
        "average[i] = w[i];",
    );
    let lion = |text| some(lion::cases(), text);
    add(lion(""), "sign of the kept mean", "(1.0 - params.beta1) * g", "(1.0 - params.beta2) * g");
    add(lion("decoupled: 0.25"), "decay of the stepped weight lost", "params.decoupled * old", "0.0");
    let clip = |text| some(clip_norm::cases(), text);
    add(
        clip("[65537, 3"),
        "only the first gradient's norm",
        "params.first + group.x",
        "0u * params.first + group.x",
    );

    let bytes = || some(gather::cases(), "shape: [3, 5, 5]");
    add(bytes(), "first channel's factors", "normalisation[pixel / params.plane]", "normalisation[0]");
    let vectors = || some(gather::cases(), "shape: [3, 32, 32]");
    let factors = "normalisation[16u * vector / params.plane]";
    add(vectors(), "first channel's factors, vectors", factors, "normalisation[0]");
    add(vectors(), "bytes in the wrong order", "vec4(0u, 8u, 16u, 24u)", "vec4(24u, 16u, 8u, 0u)");
    let maps = || some(gather::cases(), "shape: [3, 5, 5], pieces: (2, 9, 5) }, layout: Maps");
    add(maps(), "first channel's factors, maps", "normalisation[channel]", "normalisation[0u * channel]");
    add(
        maps(),
        "channels in planes",
        "channel * params.channel_step + place * params.place_step",
        "channel * plane + place",
    );
    add(maps(), "bytes of a word in the wrong order", "8u * (index % 4u)", "24u - 8u * (index % 4u)");
    let changed = |text| some_of(gather::cases(), "Augmented", text);
    let edge = "2 * (size - 1) - inside";
    add(changed("crop: 4"), "border that repeats the edge", edge, "2 * size - 1 - inside");
    add(
        changed("crop: 4"),
        "shifts along the diagonal only",
        "below(words.y, range)",
        "below(words.x, range)",
    );
    add(changed("cutout: 5"), "hole without its last row", "within.x < params", "within.x + 1u < params");
    add(changed("cutout: 5"), "hole that is seen", "found.is_padding | source.is_hole", "found.is_padding");
    add(changed("Random"), "same flips in every epoch", "vec4(image, 0u, epoch,", "vec4(image, 0u, 0u,");
    add(changed("Alternating"), "flips that do not alternate", ".x ^ epoch", ".x");
    add(changed("cutout: 4"), "seed of 32 bits", "params.seed_high", "0u & params.seed_high");
    add(some(gather::cases(), "batch: 65"), "one row too many", "row >= step.rows", "row > step.rows");
    add(some(gather::cases(), ""), "start ignored", "order[step.first + row]", "order[row]");

    let gradient = "-rest * factor";
    add(softmax("Uniform(100.0)"), "cancelling gradient", gradient, "gradient - scale");
    add(softmax("Extreme"), "last of equal logits", "value > largest", "value >= largest");
    let power = "exponential(below)";
    add(softmax("Extreme"), "largest logit not subtracted", power, "exp(logit(row, j))");
    let smoothed = "scale * (share - select(0.0, smoothing, j == label))";
    add(softmax("smoothing: 0.2"), "smoothing of all but the label", smoothed, "scale * share");
    add(softmax("rows: 3"), "mean over the padding too", ", step.rows)", ", params.batch)");

    let whole = || some(classifier::cases(), "batch: 64, classes: 10, inputs: 128, rows: 64");
    let classes = |text| some(classifier::cases(), text);
    add(whole(), "a part of the inputs lost", "+ parts[part + 3u]", "");
    add(whole(), "one class without its inputs", "y7 += w[w7 + k]", "y7 += 0.0 * w[w7 + k]");
    add(
        classes("classes: 11"),
        "second block of classes over the first",
        "values[block * GROUPS",
        "values[0u * block",
    );
    add(
        whole(),
        "logit of the row before",
        "store_logit(row + 3u, j, sums.w)",
        "store_logit(row + 2u, j, sums.w)",
    );
    add(whole(), "last vector of columns lost", "if k < quads {", "if k + 1u < quads {");
    add(classes("Masked"), "mask that lets zeros through, classifier", "vector(at) > ", "vector(at) >= ");
    add(classes("Plain"), "mask that nobody wants", "params.masked == 0u", "params.masked == 2u");
    add(classes("rows: 67"), "gradient of the padding", "hand_out(lane, j, 0.0)", "hand_out(lane, j, 1.0)");
    edits.extend(muon_edits());
    edits.extend(map_edits());
    edits
}

/// Wrong steps of Muon; its products are tested with the matrix product.
fn muon_edits() -> Vec<(Cases, Edit)> {
    let mut edits = Vec::new();
    let mut add = |cases: Cases, name, from, to| edits.push((cases, Edit { name, from, to }));
    let muon = |text| some_of(muon::cases(), "Muon", text);
    let nesterov = "params.nesterov == 1u";
    add(muon("(0.6, true, 0.0)"), "Muon without Nesterov", nesterov, "params.nesterov == 2u");
    add(muon("(0.5, true, 0.25)"), "Muon's decay lost", "params.decay * weight", "0.0");
    add(muon("[10, 784]"), "norm of the first chunk", "sums[i], sums[count + i]", "sums[0], sums[count]");
    add(muon("[31, 17]"), "weight that keeps its norm", "factors[1] * w[i]", "w[i]");
    add(muon("[31, 17]"), "direction of the step before", "x[i] = direction;", "x[i] += direction;");
    add(muon("own: 2"), "a rate that never ends", "f32(step.step)", "0.0 * f32(step.step)");
    edits
}

/// Wrong pools and activations.
fn map_edits() -> Vec<(Cases, Edit)> {
    let mut edits = Vec::new();
    let mut add = |cases: Cases, name, from, to| edits.push((cases, Edit { name, from, to }));

    let maximum = |pass| some_of(max_pool::cases(), pass, "");
    let ties = || some_of(max_pool::cases(), "Backward", "content: Ties");
    let overlapping = || some_of(max_pool::cases(), "Backward", "width: 3, stride: 1");
    add(some(max_pool::cases(), "NotNumbers"), "NaN lost", "(value > largest) | is_nan", "value > largest");
    add(maximum("Forward"), "smallest instead of largest", "value > largest", "value < largest");
    add(maximum("Forward"), "pool's last element not written", "i < params.length", "i + 1u < params.length");
    let columns = "column < last_column";
    add(maximum("Forward"), "last column of a window lost", columns, "column + 1u < last_column");
    add(ties(), "ties that all win", "if first {", "if true || first {");
    add(ties(), "last of equal cells wins", "above <= bottom", "above < bottom");
    let taken = "left = select(left, Lanes(0.0), takes);";
    add(ties(), "ties that all win, windows apart", taken, "left = select(left, left, takes);");
    let end = "select(end, input, output + 1u == outputs)";
    add(maximum("Backward"), "cells behind the last window not written", end, "end");
    let gaps = some_of(max_pool::cases(), "Backward", "width: 2, stride: 3");
    add(gaps, "cells between windows taken", "Flags(is_inside)", "Flags(is_inside | true)");
    add(overlapping(), "gradient of one window only", "sum += f32(dy", "sum = f32(dy");

    let thinned = || some(dropout::cases(), "length: 1009, rate: 0.5");
    add(thinned(), "same mask in every step", "step.step, params.layer", "0u * step.step, params.layer");
    add(thinned(), "same mask in every layer", "step.step, params.layer", "step.step, 0u * params.layer");
    add(thinned(), "one word for four elements", "is_kept[place]", "is_kept[0u * place]");
    add(thinned(), "kept elements not scaled", "f32(x[i]) * params.scale", "f32(x[i])");
    add(thinned(), "dropped instead of kept", "words >= vec4", "words < vec4");
    let average = |pass| some(average_pool::cases(), pass);
    add(
        average("padding: 1"),
        "padding left out of one side",
        "minus(start + size, params.padding)",
        "(start + size)",
    );
    let area = "params.window_height * params.window_width";
    add(average("Forward"), "sum instead of average", area, "1u");
    add(average("Backward"), "gradient without the area", area, "1u");
    add(average("Backward"), "first window left out", "row = rows.x", "row = rows.x + 1u");

    let gelu = |pass| some_of(activation::cases(), pass, "Gelu, length: 1009");
    let leaky = |pass| some_of(activation::cases(), pass, "slope: 0.3");
    for activation in activation::activations() {
        let cases = |pass| some_of(activation::cases(), pass, &format!("{activation:?}, length: 1009"));
        add(cases("Forward"), "wrong function", "Stored(activation(", "Stored(1.01 * activation(");
        add(
            cases("Backward"),
            "wrong derivative",
            "Stored(activation_slope(",
            "Stored(1.01 * activation_slope(",
        );
    }
    add(gelu("Forward"), "one wrong digit of the series", "0.37409196", "0.37408196");
    add(gelu("Backward"), "density forgotten", "x * 0.39894228", "0.0 * x");
    add(leaky("Forward"), "ReLU that does not leak", "params.argument * x", "0.0");
    add(leaky("Backward"), "slope of zero taken from above", "x > 0.0)", "x >= 0.0)");
    add(some(add_op::cases(), ""), "difference", "+ params.beta", "- params.beta");
    edits.extend(batch_norm_edits());
    edits.extend(convolution_edits());
    edits
}

/// Wrong convolutions: errors in finding operands. Epilogues are tested with the matrix product.
fn convolution_edits() -> Vec<(Cases, Edit)> {
    let mut edits = Vec::new();
    let mut add = |pass, text, name, from, to| {
        edits.push((some_of(conv2d::cases(), pass, text), Edit { name, from, to }));
    };
    let padded = "stride: 1, padding: 1";
    let strided = "stride: 2, padding: 1";
    let wide = "stride: 1, padding: 3";
    let (row_inside, column_inside) = ("(row < params.map_height)", "(column < params.map_width)");
    add("Forward", padded, "padding above that is no zero", row_inside, "(row == row)");
    add("Forward", padded, "padding beside that is no zero", column_inside, "(column == column)");
    add("Forward", "channels: 3", "last channel lost", "<= vec4(last)", "< vec4(last)");
    let next = "channel == params.cell_terms";
    add("Forward", "channels: 16", "last channels of a cell lost", next, "channel + 4u == params.cell_terms");
    let next = "column == params.kernel_width";
    add("Forward", padded, "a row of places without end", next, "column == 9999u");
    add("Forward", "channels: 5", "one channel twice", "min(first + 1u, last)", "min(first, last)");
    let column = "% params.windows_width * params.stride";
    add("Forward", strided, "columns without a stride", column, "% params.windows_width");
    add("DataGradient", strided, "windows between strides", "is_cell & (map_row", "(map_row");
    add("DataGradient", padded, "padding on the wrong side", "- params.pad_top", "+ params.pad_top");
    add("DataGradient", padded, "places in the forward order", "last_place - min(", "0u * last_place + min(");
    add("DataGradient", "filters: 16", "one filter for four", "place.channel + index", "place.channel");
    let line = "params.line_skip, next_line";
    add("WeightGradient", wide, "lines that overlap", line, "0u * params.line_skip, next_line");
    let image = "params.image_skip, next_image";
    add("WeightGradient", wide, "images that overlap", image, "0u * params.image_skip, next_image");
    add(
        "WeightGradient",
        padded,
        "first row of an image lost",
        "0u - params.pad_top, next_image",
        "0u, next_image",
    );
    let element = "elements % params.channels";
    add("WeightGradient", "channels: 3", "the first channel only", element, "0u * elements");
    add("WeightGradient", "channels: 8", "places in one row", "place / params.kernel_width", "0u * place");
    edits
}

/// Wrong batch norms. An op has several kernels, so each edit is of a text that all of them
/// contain.
fn batch_norm_edits() -> Vec<(Cases, Edit)> {
    let mut edits = Vec::new();
    let mut add = |pass, name, from, to| {
        edits.push((some_of(batch_norm::cases(), pass, ""), Edit { name, from, to }));
    };
    add("Apply", "mean not subtracted", "(f32(x[i]) - moments[channel])", "f32(x[i])");
    add("Apply", "weight of the first channel", "weight[channel]", "weight[0]");
    add("Recall", "epsilon forgotten", " + params.epsilon", "");
    add(
        "Recall",
        "variance for a deviation",
        "sqrt(running_var[channel] + params.epsilon)",
        "running_var[channel]",
    );
    add(
        "Statistics",
        "last channel forgotten",
        "channel < params.channels",
        "channel + 1u < params.channels",
    );
    add("Statistics", "padding counted", "step.rows * params.cells", "params.rows");
    edits
}

/// Edits of code that exists only in f16 kernels.
fn half_edits() -> Vec<(Cases, Edit)> {
    let mut edits = Vec::new();
    let mut add = |cases: Cases, name, from, to| edits.push((cases, Edit { name, from, to }));
    let (down, up) = (" / gradient_scale()", " * gradient_scale()");
    add(
        some(cast::cases(), "length: 257"),
        "a thousandth too little",
        "Stored(x[i])",
        "Stored(0.998 * x[i])",
    );
    let update = || some(matmul::cases(), "momentum: None, decay: 0.0, range: 1.0, with_bias: true");
    add(update(), "update by a gradient with its scale", down, "");
    let images = || some(matmul::cases(), "rows: 32");
    add(images(), "scale of one image", "max(step.rows, 1u)", "max(step.rows - step.rows, 1u)");
    let last = || some(matmul::cases(), "form: Nn, size: Size { m: 65, n: 67");
    add(last(), "gradient without its scale", up, "");
    add(some(column_sum::cases(), "rows: 17"), "sum with the scale", down, "");
    let norm = || some_of(batch_norm::cases(), "Backward", "");
    add(norm(), "gradients of a norm with their scale", down, "");
    add(norm(), "shares without the scale", "gradient_scale() * share", "share");
    add(some(classifier::cases(), "Masked"), "classifier without the scale", up, "");
    edits
}

/// Every edit must be caught with activations of type `element`.
fn must_be_caught(edits: &[(Cases, Edit)], element: Element) {
    for (cases, edit) in edits {
        let &Edit { name, from, to } = edit;
        let (gpu, _) = Subject::gpu(Capabilities::Adapter);
        let gpu = gpu.wrapping(name, move |op| edited(op, "", from, to));
        must_fail(name, cases, &Subject::cpu(), &[gpu], element);
    }
}

pub fn every_wrong_shader_is_caught() {
    must_be_caught(&edits(), Element::F32);
}

pub fn every_wrong_shader_for_16_bits_is_caught() {
    must_be_caught(&half_edits(), Element::F16);
}

/// Edits of code that exists only in kernels of cooperative matrices.
pub fn every_wrong_cooperative_kernel_is_caught() {
    let (_, facts) = Subject::gpu(Capabilities::Adapter);
    let cooperative = TileClass::all(&facts).into_iter().rfind(TileClass::is_cooperative);
    let class = cooperative.expect("the GPU has cooperative matrices");
    let facts = GpuFacts { matmul: Some(class), ..facts };
    for (name, from, to) in [
        ("sums by columns", "coopStoreT(", "coopStore("),
        ("b by the other lines", "coopLoad<coop_mat8x8<f16, B>>", "coopLoadT<coop_mat8x8<f16, B>>"),
        ("a line too far", "load_a(m0 + line,", "load_a(m0 + line + 1u,"),
        ("sums that forget", "coopMultiplyAdd(a0, b0, y0_0)", "coopMultiplyAdd(a0, b0, y0_1)"),
        (
            "last vector of a matrix not finished",
            "let quad = lane_of_subgroup + 8u",
            "let quad = lane_of_subgroup",
        ),
    ] {
        // A class for f16 operands, not for f32 operands.
        let cases = some(matmul::cases(), "m: 257, n: 255");
        let gpu = Subject::gpu(Capabilities::Adapter)
            .0
            .wrapping(name, move |op| edited(AlteredOp::with_facts(op, facts), "", from, to));
        must_fail(name, &cases, &Subject::cpu(), &[gpu], Element::F16);
    }
}

pub fn every_wrong_cpu_half_is_caught() {
    type Tamper = fn(&mut [f32], &[f32]);
    let tampers: [(&str, Tamper); 6] = [
        ("sign flip", |values, _| values.iter_mut().for_each(|value| *value = -*value)),
        ("off by one", |values, _| values.rotate_right(1)),
        ("NaN", |values, _| *values.last_mut().expect("not empty") = f32::NAN),
        ("infinity", |values, _| values[0] = f32::INFINITY),
        ("last element not written", |values, before| {
            *values.last_mut().expect("not empty") = before[before.len() - 1];
        }),
        ("one wrong element", |values, before| values[before.len() / 2] += 0.05),
    ];
    for (name, tamper) in tampers {
        let cases = [
            some(matmul::cases(), "m: 257, n: 255"),
            some(relu::cases(), "Forward { length: 4097"),
            some(sgd::cases(), "length: 4097"),
        ];
        for cases in &cases {
            let cpu = Subject::cpu().wrapping(name, move |op| tampered(op, tamper));
            must_fail(name, cases, &cpu, &[], Element::F32);
        }
    }
}
