//! Cases of a block of single-image steps, compared with plain float64 SGD that takes the steps one
//! after the other, updates the first weight in memory and does not use blocks.

use shadegrad::ops::matmul::{Form, Size};
use shadegrad::ops::online_steps::{self, BLOCK, Head};
use shadegrad::plan::{Array, StepRecord};

use crate::bench::{Cases, PLAIN_RUN, SLOTS, boxed, case, widen, written_slot};
use crate::compare::Tolerance;
use crate::numbers::UNIT;
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

/// Pixels of an image. The op sees them only through products.
const INPUTS: usize = 24;

/// Rounding errors of one step affect all later ones.
const TOLERANCE: Tolerance = Tolerance { absolute: 2e-5, relative: 2e-5, nmse: 1e-8 };

case!(
    OnlineSteps {
        block: usize,
        /// Number of steps in the block.
        rows: usize,
        hidden: usize,
        classes: usize,
        weight_decay: f32,
        bias_decay: f32,
    },
    |bench| {
        let mut matrix = |length, inputs: usize| -> Vec<f64> {
            // The scale of usual initial weights, so that no layer saturates.
            widen(&bench.numbers.floats(length, UNIT / (inputs as f32).sqrt()))
        };
        let images = matrix(block * INPUTS, 4);
        let weight = matrix(hidden * INPUTS, INPUTS);
        let [bias, bias2] = [hidden, classes].map(|length| narrow(&matrix(length, INPUTS)));
        let weight2 = narrow(&matrix(classes * hidden, hidden));
        let targets = bench.numbers.indices(block, classes);
        let size = |n| Size { m: block, n, k: INPUTS };
        let products = reference::matmul(Form::Nt, size(hidden), &images, &weight);
        let overlaps = reference::matmul(Form::Nt, size(block), &images, &images);

        let products = bench.floats("products", [block, hidden], &narrow(&products));
        let overlaps = bench.floats("overlaps", [block, block], &narrow(&overlaps));
        let labels = bench.input("labels", [block], Array::U32(targets.clone()));
        let head = Head {
            bias: bench.parameter("bias", [hidden], &bias),
            weight2: bench.parameter("weight2", [classes, hidden], &weight2),
            bias2: bench.parameter("bias2", [classes], &bias2),
            weight_decay,
            bias_decay,
        };
        let output = online_steps::forward(bench.plan, products, overlaps, labels, head, SLOTS);
        // Metrics are sums over steps, whatever the weight of a row.
        let row_weight = 0.25;
        bench.run_with(&[StepRecord { rows: rows as u32, row_weight, ..PLAIN_RUN }]);

        let network = Network {
            weight,
            bias: widen(&bias),
            weight2: widen(&weight2),
            bias2: widen(&bias2),
            weight_decay: weight_decay.into(),
            bias_decay: bias_decay.into(),
        };
        let ring = output.metrics;
        let outputs = [
            ("bias", head.bias),
            ("weight2", head.weight2),
            ("bias2", head.bias2),
            ("change", output.change),
            ("losses, hits, kept, added", ring),
        ];
        bench.expect_each(outputs.map(|(name, tensor)| (name, tensor, TOLERANCE)), move || {
            let Trained { network, mut change, sums } = Trained::of(network, &images, &targets[..rows]);
            change.resize(block * hidden, 0.0);
            [network.bias, network.weight2, network.bias2, change, sums.to_vec()]
        });
        bench.written_only(ring, written_slot(ring));
    }
);

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// Two linear layers with a ReLU between them, and their update.
struct Network {
    weight: Vec<f64>,
    bias: Vec<f64>,
    weight2: Vec<f64>,
    bias2: Vec<f64>,
    weight_decay: f64,
    bias_decay: f64,
}

impl Network {
    /// One SGD step on one image. Returns loss, correct count and the gradient of the first layer's
    /// output.
    fn step(&mut self, rate: f64, image: &[f64], label: usize) -> (f64, bool, Vec<f64>) {
        let (hidden, classes) = (self.bias.len(), self.bias2.len());
        let size = |m, n, k| Size { m, n, k };
        let z = reference::matmul(Form::Nt, size(1, hidden, INPUTS), image, &self.weight);
        let h = reference::relu(&reference::add_bias(&z, &self.bias));
        let logits = reference::matmul(Form::Nt, size(1, classes, hidden), &h, &self.weight2);
        let logits = reference::add_bias(&logits, &self.bias2);
        let (loss, dlogits) = reference::softmax_cross_entropy(&logits, label);
        let dh = reference::matmul(Form::Nn, size(1, hidden, classes), &dlogits, &self.weight2);
        let dz = reference::relu_backward(&h, &dh);
        let dweight2 = reference::matmul(Form::Tn, size(classes, hidden, 1), &dlogits, &h);
        let dweight = reference::matmul(Form::Tn, size(hidden, INPUTS, 1), &dz, image);
        reference::sgd(rate, self.weight_decay, &mut self.weight, &dweight);
        reference::sgd(rate, self.weight_decay, &mut self.weight2, &dweight2);
        reference::sgd(rate, self.bias_decay, &mut self.bias, &dz);
        reference::sgd(rate, self.bias_decay, &mut self.bias2, &dlogits);
        (loss, reference::hits(&logits, label), dz)
    }
}

/// A network after its steps, and the metrics that the op must report.
struct Trained {
    network: Network,
    /// The change of the first weight in each step, as a multiple of its image, reduced by the
    /// decay of the later steps.
    change: Vec<f64>,
    /// Sums over all steps: losses, correct counts, `kept`, and `added` plus the squares of the
    /// second weight.
    sums: [f64; 4],
}

impl Trained {
    fn of(mut network: Network, images: &[f64], targets: &[u32]) -> Self {
        let rate = f64::from(PLAIN_RUN.learning_rate);
        let kept = 1.0 - rate * network.weight_decay;
        let norm_at_first = reference::sum_of_squares(&network.weight);
        // This fraction of the initial norm is in the norm before each step; the rest of it is
        // `added`.
        let mut kept_of_norm = 1.0;
        let mut sums = [0.0; 4];
        let mut change: Vec<f64> = Vec::new();
        for (image, &label) in images.chunks_exact(INPUTS).zip(targets) {
            let norms = [&network.weight, &network.weight2].map(|weight| reference::sum_of_squares(weight));
            let added_and_squares = norms.iter().sum::<f64>() - kept_of_norm * norm_at_first;
            let (loss, hit, dz) = network.step(rate, image, label as usize);
            change.iter_mut().for_each(|change| *change *= kept);
            change.extend(dz.iter().map(|dz| rate * dz));
            let measured = [loss, if hit { 1.0 } else { 0.0 }, kept_of_norm, added_and_squares];
            sums.iter_mut().zip(measured).for_each(|(sum, measured)| *sum += measured);
            kept_of_norm *= kept * kept;
        }
        Trained { network, change, sums }
    }
}

pub fn cases() -> Cases {
    let mut cases = Vec::new();
    let mut add = |(block, rows), hidden, classes, (weight_decay, bias_decay)| {
        cases.push(OnlineSteps { block, rows, hidden, classes, weight_decay, bias_decay });
    };
    let decays = [(0.0, 0.0), (0.08, 0.0), (1e-4, 1e-4), (0.05, 0.08)];
    // A lane owns every 32nd hidden value and every 32nd class.
    for (index, hidden) in [1, 5, 31, 32, 33, 128, 300].into_iter().enumerate() {
        for (offset, classes) in [1, 2, 10, 37].into_iter().enumerate() {
            for steps in [(1, 1), (7, 5), (BLOCK, BLOCK), (BLOCK, 17)] {
                add(steps, hidden, classes, decays[(index + offset) % decays.len()]);
            }
        }
    }
    // The largest sizes that fit: many classes, many hidden values, many steps.
    for (block, hidden, classes) in [(BLOCK, 352, 64), (BLOCK, 1024, 19), (63, 512, 10)] {
        assert!(online_steps::fits(block, hidden, classes));
        assert!(!online_steps::fits(block, hidden + 1, classes));
        add((block, block), hidden, classes, (0.08, 0.08));
    }
    boxed(cases)
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let decaying = "rows: 32, hidden: 31, classes: 37, weight_decay: 0.08";
    edits! {
        [decaying] "first weight that does not decay": "z *= 1.0 - decayed;" => "z *= 1.0;";
        [decaying] "norm that does not decay": "kept *= c * c;" => "kept *= c;";
        [decaying] "earlier norms forgotten": "added = c * c * added" => "added = 0.0";
        [decaying] "norm that forgets the image's": "found.y * length" => "found.y";
        [decaying] "norm of the second weight lost": "squares += w * w;" => "squares = w * w;";
        ["rows: 17"] "change of the padding": "t < rows);" => "true);";
        ["rows: 32"] "earlier steps forgotten": "z -= overlaps" => "z -= 0.0 * overlaps";
    }
}
