//! The GPU half of a convolution. Kernels come in two kinds: channels four at a time where their number is a multiple of
//! four, and one at a time.

use std::borrow::Cow;

use super::{DataGradient, Forward, Sizes, WeightGradient};
use crate::kernel::{Binding, Dispatch, Kernel, Uniform, fold, read, shader, trips, uniform, write};

uniform! {
    struct Params {
        /// Cells of the map that is computed, of all images.
        cells: u32,
        channels: u32,
        filters: u32,
        height: u32,
        width: u32,
        output_height: u32,
        output_width: u32,
        window_height: u32,
        window_width: u32,
        stride: u32,
        padding: u32,
        relu: u32,
        /// Rows of windows, of all images, and how many of them a part of the weight's gradient sums.
        lines: u32,
        lines_of_part: u32,
        parts: u32,
    }
}

const WORKGROUP: u32 = 64;

/// Cells and filters of a tile.
const TILE: usize = 4;

const fn kernel(name: &'static str, source: Cow<'static, str>, bindings: &'static [Binding]) -> Kernel {
    Kernel {
        name: Cow::Borrowed(name),
        source,
        workgroup: [WORKGROUP, 1, 1],
        params: Params::FIELDS,
        bindings: Cow::Borrowed(bindings),
        reads_step: false,
        subgroups: false,
    }
}

/// A kernel in both kinds, channels one at a time first.
macro_rules! both {
    ($name:literal, [$($more:literal),*], $bindings:expr) => {
        [
            kernel(
                $name,
                shader!("loop_bound.wgsl", "conv2d_params.wgsl", "conv2d_scalars.wgsl" $(, $more)*),
                $bindings,
            ),
            kernel(
                concat!($name, "_vectors"),
                shader!("loop_bound.wgsl", "conv2d_params.wgsl", "conv2d_vectors.wgsl" $(, $more)*),
                $bindings,
            ),
        ]
    };
}

static FORWARD: [Kernel; 2] =
    both!("conv2d", ["conv2d_no_bias.wgsl", "conv2d.wgsl"], &[read("x"), read("weight"), write("y")]);

static FORWARD_BIAS: [Kernel; 2] = both!(
    "conv2d_bias",
    ["conv2d_bias.wgsl", "conv2d.wgsl"],
    &[read("x"), read("weight"), write("y"), read("bias")]
);

static DATA_GRADIENT: [Kernel; 2] = both!(
    "conv2d_data_gradient",
    ["conv2d_no_mask.wgsl", "conv2d_data_gradient.wgsl"],
    &[read("dy"), read("weight"), write("dx")]
);

static DATA_GRADIENT_MASK: [Kernel; 2] = both!(
    "conv2d_data_gradient_mask",
    ["conv2d_mask.wgsl", "conv2d_data_gradient.wgsl"],
    &[read("dy"), read("weight"), write("dx"), read("mask")]
);

static WEIGHT_GRADIENT: [Kernel; 2] =
    both!("conv2d_weight_gradient", ["conv2d_weight_gradient.wgsl"], &[read("dy"), read("x"), write("sums")]);

static JOIN: Kernel = kernel(
    "conv2d_join",
    shader!("loop_bound.wgsl", "conv2d_params.wgsl", "conv2d_join.wgsl"),
    &[read("partials"), write("dw")],
);

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    [&FORWARD, &FORWARD_BIAS, &DATA_GRADIENT, &DATA_GRADIENT_MASK, &WEIGHT_GRADIENT]
        .into_iter()
        .flatten()
        .chain([&JOIN])
        .cloned()
        .collect()
}

impl Sizes {
    fn vectors(&self) -> bool {
        self.channels.is_multiple_of(4)
    }

    /// Channels, as many at a time as a kernel reads.
    fn terms(&self) -> usize {
        self.channels / if self.vectors() { 4 } else { 1 }
    }

    fn of(&self, kinds: &'static [Kernel; 2]) -> &'static Kernel {
        &kinds[usize::from(self.vectors())]
    }

    fn params(&self) -> Params {
        let [rows, columns] = [self.rows, self.columns];
        Params {
            channels: self.channels as u32,
            filters: self.filters as u32,
            height: rows.input as u32,
            width: columns.input as u32,
            output_height: rows.output as u32,
            output_width: columns.output as u32,
            window_height: rows.size as u32,
            window_width: columns.size as u32,
            stride: rows.stride as u32,
            padding: rows.padding as u32,
            ..Params::default()
        }
    }

    fn trips_over_window(&self, inside: u64) -> u64 {
        trips(self.rows.size, trips(self.columns.size, inside))
    }
}

/// Trips of an invocation, with those of storing its tile.
pub(super) fn forward_trips(sizes: &Sizes) -> u64 {
    sizes.trips_over_window(trips(sizes.terms(), 0)) + TILE as u64 * trips(TILE, 0)
}

/// Trips of an invocation.
pub(super) fn data_gradient_trips(sizes: &Sizes) -> u64 {
    sizes.trips_over_window(trips(sizes.filters, 0))
}

/// Trips of an invocation of either of the two kernels: the most.
pub(super) fn weight_gradient_trips(sizes: &Sizes) -> u64 {
    of_part(sizes).max(of_join(sizes))
}

fn of_part(sizes: &Sizes) -> u64 {
    trips(sizes.lines_of_part(), trips(sizes.columns.output, 0))
}

fn of_join(sizes: &Sizes) -> u64 {
    trips(sizes.parts(), 0)
}

pub(super) fn forward(op: &Forward) -> Vec<Dispatch> {
    let sizes = op.sizes;
    let cells = sizes.lines() * sizes.columns.output;
    let params = Params { cells: cells as u32, relu: u32::from(op.relu), ..sizes.params() };
    let kinds = if op.bias.is_some() { &FORWARD_BIAS } else { &FORWARD };
    let tensors: Vec<_> = [op.x, op.weight, op.y].into_iter().chain(op.bias).collect();
    let tiles = cells.div_ceil(TILE) * sizes.filters.div_ceil(TILE);
    vec![Dispatch::new(sizes.of(kinds), params, &tensors, fold(tiles, WORKGROUP), forward_trips(&sizes))]
}

pub(super) fn data_gradient(op: &DataGradient) -> Vec<Dispatch> {
    let sizes = op.sizes;
    let cells = op.dx.len() / sizes.channels;
    let params = Params { cells: cells as u32, ..sizes.params() };
    let kinds = if op.mask.is_some() { &DATA_GRADIENT_MASK } else { &DATA_GRADIENT };
    let tensors: Vec<_> = [op.dy, op.weight, op.dx].into_iter().chain(op.mask).collect();
    let grid = fold(cells.div_ceil(TILE) * sizes.terms(), WORKGROUP);
    vec![Dispatch::new(sizes.of(kinds), params, &tensors, grid, data_gradient_trips(&sizes))]
}

pub(super) fn weight_gradient(op: &WeightGradient) -> Vec<Dispatch> {
    let sizes = op.sizes;
    let parts = sizes.parts();
    let params = Params {
        lines: sizes.lines() as u32,
        lines_of_part: sizes.lines_of_part() as u32,
        parts: parts as u32,
        ..sizes.params()
    };
    let places = sizes.rows.size * sizes.columns.size * sizes.terms();
    let [x, y, _] = fold(places * sizes.filters.div_ceil(TILE), WORKGROUP);
    let sums = op.partials.unwrap_or(op.dw);
    let kernel = sizes.of(&WEIGHT_GRADIENT);
    let products = Dispatch::new(kernel, params, &[op.dy, op.x, sums], [x, y, parts as u32], of_part(&sizes));
    let join = |partials| {
        let grid = fold(op.dw.len(), WORKGROUP);
        Dispatch::new(&JOIN, params, &[partials, op.dw], grid, of_join(&sizes))
    };
    std::iter::once(products).chain(op.partials.map(join)).collect()
}
