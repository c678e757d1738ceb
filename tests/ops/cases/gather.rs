//! Cases of gathering a batch of images.

mod augmented;

use shadegrad::augmentation::Augmentation;
use shadegrad::ops::gather::{self, Batch, Images, NO_LABEL};
use shadegrad::plan::{Array, StepRecord};
use shadegrad::tensor::Tensor;

use crate::bench::{Bench, Cases, PLAIN_RUN, boxed, case};
use crate::compare::Tolerance;
use crate::wrong_kernels::{Edit, edits};

/// Images in pieces, as a device has them.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    /// Channels, rows and columns of an image.
    pub shape: [usize; 3],
    /// Number of pieces but the last, images in each, and images in the last.
    pub pieces: (usize, usize, usize),
}

/// The content that images are filled with.
pub struct Filled {
    pub images: Images,
    bytes: Vec<u8>,
    classes: Vec<u32>,
    factors: Vec<f32>,
}

impl Store {
    pub fn images(&self) -> usize {
        let (full, size, last) = self.pieces;
        full * size + last
    }

    pub fn pixels(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn fill(&self, bench: &mut Bench) -> Filled {
        let factors = bench.numbers.floats(2 * self.shape[0], 2.0);
        self.fill_with(bench, &factors)
    }

    /// Images that are normalised with these factors.
    pub fn fill_with(&self, bench: &mut Bench, factors: &[f32]) -> Filled {
        let (pixels, count) = (self.pixels(), self.images());
        let [channels, height, width] = self.shape;
        let bytes = bench.numbers.bytes(count * pixels);
        let classes = bench.numbers.indices(count, 1000);
        let stride = pixels.next_multiple_of(4);
        let pieces = self.pieces(&bytes).into_iter().map(|piece| {
            let images = piece.len() / stride;
            bench.input("piece", [images, stride], Array::U8(piece))
        });
        let images = Images {
            pieces: pieces.collect(),
            labels: bench.input("labels", [count], Array::U32(classes.clone())),
            normalisation: bench.floats("normalisation", [channels, 2], factors),
            height,
            width,
            augmentation: Augmentation::default(),
        };
        Filled { images, bytes, classes, factors: factors.to_vec() }
    }

    /// The pieces: images padded to whole words with values that must not be read.
    fn pieces(&self, pixels: &[u8]) -> Vec<Vec<u8>> {
        let (full, size, last) = self.pieces;
        let stride = self.pixels().next_multiple_of(4);
        let mut images = pixels.chunks_exact(self.pixels());
        let sizes = std::iter::repeat_n(size, full).chain([last]);
        let piece = |size| {
            let mut bytes = Vec::new();
            for image in images.by_ref().take(size) {
                bytes.extend(image);
                bytes.resize(bytes.len().next_multiple_of(stride), 0xee);
            }
            bytes
        };
        sizes.map(piece).collect()
    }
}

impl Filled {
    /// The normalised pixels of some images.
    pub fn normalised(&self, picks: &[usize]) -> Vec<f64> {
        let pixels = self.images.pixels();
        let plane = pixels / (self.factors.len() / 2);
        let value = |image: usize, pixel: usize| {
            let [scale, shift] = [0, 1].map(|factor| f64::from(self.factors[2 * (pixel / plane) + factor]));
            f64::from(self.bytes[image * pixels + pixel]) * scale + shift
        };
        picks.iter().flat_map(|&image| (0..pixels).map(move |pixel| value(image, pixel))).collect()
    }
}

/// Images stored as planes, gathered with channels last.
fn channels_last(planes: &[f64], [channels, height, width]: [usize; 3]) -> Vec<f64> {
    let mut maps = Vec::new();
    for image in planes.chunks_exact(channels * height * width) {
        for row in 0..height {
            for column in 0..width {
                maps.extend((0..channels).map(|channel| image[(channel * height + row) * width + column]));
            }
        }
    }
    maps
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    /// A row of numbers per image, channels first.
    Planes,
    /// Channels last.
    Maps,
    /// As planes, for any product to read; augmented images are floats.
    Pixels,
}

impl Layout {
    fn gather(self, bench: &mut Bench, images: &Images, order: Tensor, batch: usize) -> Batch {
        let (element, plan) = (bench.element, &mut *bench.plan);
        match self {
            Layout::Planes => gather::forward(plan, images, order, batch, element),
            Layout::Maps => gather::maps(plan, images, order, batch, element),
            Layout::Pixels => gather::pixels(plan, images, order, batch, element),
        }
    }
}

case!(
    Gather {
        store: Store,
        layout: Layout,
        batch: usize,
        /// Where in the order the batch starts, and how many of its rows hold an image.
        first: usize,
        rows: usize,
    },
    |bench| {
        let filled = store.fill(bench);
        // Repeats on purpose: the order need not be a permutation.
        let picks = bench.numbers.indices(first + batch, store.images());
        let order = bench.input("order", [first + batch], Array::U32(picks.clone()));
        let output = layout.gather(bench, &filled.images, order, batch);
        let record = StepRecord { first: first as u32, rows: rows as u32, ..PLAIN_RUN };
        bench.run_with(&[record]);

        let picks: Vec<usize> = picks[first..][..rows].iter().map(|&image| image as usize).collect();
        let labels = picks.iter().map(|&image| filled.classes[image].into());
        let labels: Vec<f64> = labels.chain(std::iter::repeat(NO_LABEL.into())).take(batch).collect();
        bench.expect("batch_labels", output.labels, Tolerance::EXACT, move || labels);
        // 255 times a factor of 2, plus a shift.
        bench.expect("x", output.x, Tolerance::rounded(512.0), move || {
            let planes = filled.normalised(&picks);
            let mut x = match layout {
                Layout::Planes | Layout::Pixels => planes,
                Layout::Maps => channels_last(&planes, store.shape),
            };
            x.resize(batch * store.pixels(), 0.0);
            x
        });
    }
);

const SHAPES: [[usize; 3]; 7] =
    [[1, 1, 1], [1, 5, 5], [1, 28, 28], [3, 2, 2], [3, 5, 5], [3, 32, 32], [5, 9, 7]];

pub fn cases() -> Cases {
    let mut cases = Vec::new();
    // Sizes that are and are not multiples of the word of four pixels; pieces; whole, partial and
    // almost empty batches, at the start of the order and further on.
    for shape in SHAPES {
        for pieces in [(0, 0, 1), (0, 0, 23), (1, 12, 11), (1, 1, 1), (2, 9, 5), (2, 8, 8)] {
            for (batch, rows) in [(1, 1), (17, 17), (64, 1), (65, 40)] {
                for layout in [Layout::Planes, Layout::Maps] {
                    let first = batch % 5;
                    cases.push(Gather { store: Store { shape, pieces }, layout, batch, first, rows });
                }
            }
        }
    }
    // More than 65,535 workgroups of 64 words.
    let (batch, rows) = (65_536 * 64 / 7 + 3, 65_536 * 64 / 7 - 2);
    let store = Store { shape: [1, 5, 5], pieces: (1, 50, 30) };
    cases.push(Gather { store, layout: Layout::Planes, batch, first: 1, rows });
    boxed(cases).into_iter().chain(augmented::cases()).collect()
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let (vectors, maps) = ("shape: [3, 32, 32]", "shape: [3, 5, 5], pieces: (2, 9, 5) }, layout: Maps");
    edits! {
        ["shape: [3, 5, 5]"] "first channel's factors":
            "normalisation[pixel / params.plane]" => "normalisation[0]";
        [vectors] "first channel's factors, vectors":
            "normalisation[16u * vector / params.plane]" => "normalisation[0]";
        [vectors] "bytes in the wrong order": "vec4(0u, 8u, 16u, 24u)" => "vec4(24u, 16u, 8u, 0u)";
        [maps] "first channel's factors, maps": "normalisation[channel]" => "normalisation[0u * channel]";
        [maps] "channels in planes":
            "channel * params.channel_step + place * params.place_step" => "channel * plane + place";
        [maps] "bytes of a word in the wrong order": "8u * (index % 4u)" => "24u - 8u * (index % 4u)";
        ["Augmented", "crop: 4"] "border that repeats the edge":
            "2 * (size - 1) - inside" => "2 * size - 1 - inside";
        ["Augmented", "crop: 4"] "shifts along the diagonal only":
            "below(words.y, range)" => "below(words.x, range)";
        ["Augmented", "cutout: 5"] "hole without its last row":
            "within.x < params" => "within.x + 1u < params";
        ["Augmented", "cutout: 5"] "hole that is seen":
            "found.is_padding | source.is_hole" => "found.is_padding";
        ["Augmented", "Random"] "same flips in every epoch":
            "vec4(image, 0u, epoch," => "vec4(image, 0u, 0u,";
        ["Augmented", "Alternating"] "flips that do not alternate": ".x ^ epoch" => ".x";
        ["Augmented", "cutout: 4"] "seed of 32 bits": "params.seed_high" => "0u & params.seed_high";
        ["batch: 65"] "one row too many": "row >= step.rows" => "row > step.rows";
        [] "start ignored": "order[step.first + row]" => "order[row]";
    }
}
