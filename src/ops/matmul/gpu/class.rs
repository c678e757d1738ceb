//! The kernel classes with their tiles, and the cost of each.

use super::variant::Variant;
use crate::kernel::{CooperativeMatrix, GpuFacts, TileClass, iterations};
use crate::ops::matmul::Size;

/// Terms per round of the tiled classes.
const TILE_K: u32 = 16;

/// Steps of cooperative matrices per round. A software driver takes a large fraction of a second to
/// compile each.
const COOPERATIVE_STEPS: u32 = 2;

/// Makes enough workgroups for a small product.
const SMALL: TileClass = TileClass::Tiled { tile_m: 32, tile_n: 32, tile_k: TILE_K, rows: 4, quads: 1 };

/// Three loads from workgroup memory per eight vector multiply-adds.
const MEDIUM: TileClass = TileClass::Tiled { tile_m: 64, tile_n: 64, tile_k: TILE_K, rows: 8, quads: 1 };

/// Four such loads per sixteen vector multiply-adds.
const LARGE: TileClass = TileClass::Tiled { tile_m: 128, tile_n: 128, tile_k: TILE_K, rows: 8, quads: 2 };

/// Maximum subgroup size that is taken for the vector unit of a CPU. Its registers are backed by
/// the nearest cache, so a lane may own many sums.
const PROCESSOR_LANES: u32 = 8;

impl GpuFacts {
    /// Disables the classes with these labels, and f16 if one of the labels is `f16`. Labels that
    /// no class has are ignored.
    pub fn disable(&mut self, labels: &[String]) {
        self.f16 &= !labels.iter().any(|label| label == "f16");
        for (place, class) in TileClass::all(self).into_iter().enumerate() {
            if labels.contains(&class.label()) {
                self.disabled |= 1 << place;
            }
        }
    }
}

impl TileClass {
    /// Every class that is used for products of f32 operands on an adapter with these facts. Tests
    /// run them all.
    pub fn candidates(gpu: &GpuFacts) -> Vec<TileClass> {
        TileClass::enabled(gpu).filter(|class| !class.is_cooperative()).collect()
    }

    /// The same for products of f16 operands. All classes of a list must add in one order, and
    /// cooperative matrices have their own, so the list has only them if they passed their test. A
    /// software driver emulates them at a tenth of the possible speed, so there they are only used
    /// in tests.
    pub fn f16_candidates(gpu: &GpuFacts) -> Vec<TileClass> {
        let proven =
            TileClass::enabled(gpu).filter(|class| gpu.proven && !gpu.software && class.is_cooperative());
        let cooperative: Vec<TileClass> = proven.collect();
        if cooperative.is_empty() { TileClass::candidates(gpu) } else { cooperative }
    }

    /// Those that are not disabled.
    fn enabled(gpu: &GpuFacts) -> impl Iterator<Item = TileClass> {
        let (all, disabled) = (TileClass::all(gpu).into_iter().enumerate(), gpu.disabled);
        all.filter(move |(place, _)| disabled & (1 << place) == 0).map(|(_, class)| class)
    }

    /// The classes for all sizes of subgroups and of cooperative matrices on today's devices.
    pub fn of_today() -> Vec<TileClass> {
        let matrix = |size, vec4_loads| Some(CooperativeMatrix { size, vec4_loads });
        // Lavapipe has the first matrices, NVIDIA and AMD the next ones, Apple the last.
        let found = [
            (4, None),
            (8, matrix(8, true)),
            (16, None),
            (32, matrix(16, true)),
            (64, matrix(16, true)),
            (32, matrix(8, false)),
        ];
        let mut classes = Vec::new();
        for (lanes, cooperative) in found {
            for class in
                TileClass::all(&GpuFacts { subgroup_size: Some(lanes), cooperative, ..GpuFacts::default() })
            {
                if !classes.contains(&class) {
                    classes.push(class);
                }
            }
        }
        classes
    }

    /// Every class that an adapter with these facts can run. Those through workgroup memory come
    /// first, because they need the fewest features of a driver.
    pub fn all(gpu: &GpuFacts) -> Vec<TileClass> {
        let mut candidates = vec![SMALL, MEDIUM];
        // FXC needs 4 to 7 seconds for each of its kernels, and a tuner tries it for most products.
        if !gpu.compiles_slowly {
            candidates.push(LARGE);
        }
        if let Some(lanes) = gpu.subgroup_size {
            let tiles: &[(u32, u32)] = if lanes <= PROCESSOR_LANES {
                &[(8, 1), (16, 1), (32, 1), (20, 2), (32, 2), (64, 1)]
            } else {
                &[(8, 1), (16, 1)]
            };
            candidates.extend(tiles.iter().map(|&(rows, quads)| TileClass::Subgroup { lanes, rows, quads }));
            candidates
                .extend(gpu.cooperative.into_iter().flat_map(|matrix| TileClass::cooperative(matrix, lanes)));
        }
        candidates
    }

    /// The classes of cooperative matrices, small tiles first.
    fn cooperative(matrix: CooperativeMatrix, lanes: u32) -> impl Iterator<Item = TileClass> {
        // Matrices of a subgroup down and across, subgroups of a workgroup down and across.
        let tiles: &[[u32; 4]] = match (matrix.size, lanes) {
            (_, ..=PROCESSOR_LANES) => &[[1, 1, 1, 1], [2, 2, 1, 1]],
            (8, _) => &[[2, 2, 2, 2], [4, 4, 2, 2]],
            (_, ..=32) => &[[1, 1, 2, 2], [2, 2, 2, 2], [2, 4, 4, 2]],
            _ => &[[1, 1, 2, 2], [2, 2, 2, 2], [4, 4, 2, 2]],
        };
        tiles.iter().map(move |&[rows, columns, subgroups_m, subgroups_n]| TileClass::Cooperative {
            matrix,
            lanes,
            rows,
            columns,
            subgroups_m,
            subgroups_n,
        })
    }

    /// Whether this is a class of cooperative matrices, whose operands are f16.
    pub fn is_cooperative(&self) -> bool {
        matches!(self, TileClass::Cooperative { .. })
    }

    /// Whether products of this variant may use the class. A cooperative class would round f32
    /// operands to f16.
    pub fn takes(&self, variant: Variant) -> bool {
        !self.is_cooperative() || variant.is_f16()
    }

    /// Rows and columns of the product that a workgroup computes.
    pub fn tile(self) -> (u32, u32) {
        match self {
            TileClass::Tiled { tile_m, tile_n, .. } => (tile_m, tile_n),
            TileClass::Subgroup { lanes, rows, quads } => (rows, 4 * lanes * quads),
            TileClass::Cooperative {
                matrix: CooperativeMatrix { size, .. },
                rows,
                columns,
                subgroups_m,
                subgroups_n,
                ..
            } => (size * rows * subgroups_m, size * columns * subgroups_n),
        }
    }

    pub(super) fn workgroup(self) -> u32 {
        match self {
            TileClass::Tiled { tile_m, tile_n, rows, quads, .. } => tile_m / rows * (tile_n / 4 / quads),
            TileClass::Subgroup { lanes, .. } => lanes,
            TileClass::Cooperative { lanes, subgroups_m, subgroups_n, .. } => {
                lanes * subgroups_m * subgroups_n
            }
        }
    }

    /// Number of tiles down and across a product.
    pub(super) fn tiles(self, size: Size) -> (usize, usize) {
        let (tile_m, tile_n) = self.tile();
        (size.m.div_ceil(tile_m as usize), size.n.div_ceil(tile_n as usize))
    }

    /// Computed elements per element of the product: 1 if tiles fit exactly.
    pub(super) fn tile_overhead(self, size: Size) -> f64 {
        let ((tile_m, tile_n), (down, across)) = (self.tile(), self.tiles(size));
        (down * across) as f64 * f64::from(tile_m * tile_n) / (size.m * size.n) as f64
    }

    /// Terms that are added between two checks for the end of the sum. Every split of a sum is a
    /// multiple of it.
    pub(super) const fn round(self) -> u32 {
        match self {
            TileClass::Tiled { tile_k, .. } => tile_k,
            TileClass::Subgroup { .. } => 4,
            TileClass::Cooperative { matrix, lanes, .. } if lanes <= PROCESSOR_LANES => matrix.size,
            TileClass::Cooperative { matrix, .. } => COOPERATIVE_STEPS * matrix.size,
        }
    }

    /// Upper bound on the loop iterations of an invocation for sums of `terms` terms: over the
    /// terms, over the sums of rows, and, for one epilogue, over the bits of the step's number of
    /// rows.
    pub(super) const fn iterations(self, terms: usize) -> u64 {
        let row_sums = match self {
            TileClass::Tiled { .. } | TileClass::Cooperative { .. } => iterations(terms.div_ceil(4), 0),
            TileClass::Subgroup { .. } => 0,
        };
        iterations(terms.div_ceil(self.round() as usize), 0) + row_sums + iterations(u32::BITS as usize, 0)
    }

    /// The name of the class in kernel names and in the tuning cache.
    pub fn label(self) -> String {
        match self {
            TileClass::Tiled { tile_m, tile_n, tile_k, rows, quads } => {
                format!("tiled_{tile_m}x{tile_n}x{tile_k}_{rows}x{quads}")
            }
            TileClass::Subgroup { lanes, rows, quads } => format!("subgroup_{lanes}_{rows}x{quads}"),
            TileClass::Cooperative {
                matrix: CooperativeMatrix { size, vec4_loads },
                lanes,
                rows,
                columns,
                subgroups_m,
                subgroups_n,
            } => {
                let numbers = if vec4_loads { "" } else { "_numbers" };
                format!("cooperative_{size}_{lanes}_{rows}x{columns}_{subgroups_m}x{subgroups_n}{numbers}")
            }
        }
    }

    /// The class of a list that is probably fastest for a product of this size.
    pub(super) fn guess(size: Size, gpu: &GpuFacts, candidates: &[TileClass]) -> TileClass {
        let is_enough = |class: &&TileClass| {
            let (down, across) = class.tiles(size);
            down * across >= 128
        };
        if let Some(smallest) = candidates.first().filter(|class| class.is_cooperative()) {
            // As for the other classes: the largest tile of which there are enough to occupy the
            // GPU.
            return *candidates.iter().rev().find(is_enough).unwrap_or(smallest);
        }
        let likely = TileClass::likely(size, gpu);
        if candidates.contains(&likely) {
            return likely;
        }
        *candidates.first().expect("a GPU without a class for products cannot be opened")
    }

    fn likely(size: Size, gpu: &GpuFacts) -> TileClass {
        let Size { m, n, .. } = size;
        if let (true, Some(lanes)) = (gpu.software, gpu.subgroup_size) {
            let fitting =
                TileClass::all(gpu).into_iter().filter(|class| matches!(class, TileClass::Subgroup { .. }));
            let few = n <= 4 * lanes as usize;
            let cost = |class: &TileClass| {
                let TileClass::Subgroup { rows, quads, .. } = *class else {
                    unreachable!("other classes were filtered out")
                };
                // Cost of the multiply-adds and of their loads. The terms of a row and of a column
                // serve a whole tile.
                let loads = 16.0 / f64::from(rows) + if few { 0.5 } else { 0.5 / f64::from(quads) };
                // A CPU has at least two cores, one of which idles if the number of tiles is odd.
                let (down, across) = class.tiles(size);
                let idle = ((down * across).next_multiple_of(2)) as f64 / (down * across) as f64;
                class.tile_overhead(size) * (1.0 + loads) * idle
            };
            return fitting
                .min_by(|one, other| cost(one).total_cmp(&cost(other)))
                .expect("the list is not empty");
        }
        // A large tile moves less memory, if there are enough tiles to occupy the GPU.
        if m.div_ceil(128) * n.div_ceil(128) >= 128 && !gpu.compiles_slowly {
            LARGE
        } else if m.div_ceil(64) * n.div_ceil(64) >= 128 {
            MEDIUM
        } else {
            SMALL
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::split_k::MAX_TERMS_PER_SPLIT;
    use super::*;
    use crate::kernel::MOST_ITERATIONS;

    #[test]
    fn every_class_has_enough_iterations_for_the_longest_sum() {
        for lanes in [4, 8, 16, 32, 64, 128] {
            let cooperative = Some(CooperativeMatrix { size: 16, vec4_loads: true });
            let facts = GpuFacts { subgroup_size: Some(lanes), cooperative, ..GpuFacts::default() };
            for class in TileClass::all(&facts) {
                let iterations = class.iterations(MAX_TERMS_PER_SPLIT);
                assert!(iterations <= MOST_ITERATIONS, "{class:?}: {iterations} iterations");
            }
        }
    }

    #[test]
    fn a_slow_compiler_never_meets_the_largest_tiles() {
        let fast = GpuFacts { subgroup_size: Some(32), ..GpuFacts::default() };
        let slow = GpuFacts { compiles_slowly: true, ..fast };
        let huge = Size { m: 4096, n: 4096, k: 64 };
        assert_eq!(TileClass::guess(huge, &fast, &TileClass::candidates(&fast)), LARGE);
        assert_eq!(TileClass::guess(huge, &slow, &TileClass::candidates(&slow)), MEDIUM);
        let others = TileClass::all(&fast).into_iter().filter(|&class| class != LARGE);
        assert_eq!(TileClass::all(&slow), others.collect::<Vec<_>>());
    }

    #[test]
    fn small_products_do_not_get_large_tiles() {
        let facts = GpuFacts { subgroup_size: Some(8), software: true, ..GpuFacts::default() };
        let size = |m, n, k| Size { m, n, k };
        for (size, most) in [(size(1, 10, 64), 32.0), (size(64, 128, 784), 1.0), (size(100, 3072, 32), 1.13)]
        {
            let class = TileClass::guess(size, &facts, &TileClass::candidates(&facts));
            assert!(
                class.tile_overhead(size) <= most,
                "{class:?} wastes {} for {size:?}",
                class.tile_overhead(size)
            );
        }
    }
}
