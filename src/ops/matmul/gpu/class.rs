//! Kernel classes and their tiles: which there are, and what each costs.

use super::super::Size;
use crate::kernel::trips;
use crate::ops::GpuFacts;

/// A kernel class with its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Tiles of a and b in workgroup memory.
    Tiled {
        /// Rows of the product per workgroup.
        tile_m: u32,
        /// Columns of the product per workgroup.
        tile_n: u32,
        /// Terms per round.
        tile_k: u32,
        /// Rows per invocation, a multiple of 4.
        rows: u32,
        /// Columns per invocation, in fours.
        quads: u32,
    },
    /// One subgroup per workgroup.
    Subgroup {
        /// Lanes of the subgroup.
        lanes: u32,
        /// Rows of the product per workgroup, a multiple of 4.
        rows: u32,
        /// Columns per lane, in fours.
        quads: u32,
    },
}

/// Terms per round of the tiled classes.
const TILE_K: u32 = 16;

/// Enough workgroups for a small product.
const SMALL: Class = Class::Tiled { tile_m: 32, tile_n: 32, tile_k: TILE_K, rows: 4, quads: 1 };

/// Three loads from workgroup memory for eight multiply-adds of vectors.
const MEDIUM: Class = Class::Tiled { tile_m: 64, tile_n: 64, tile_k: TILE_K, rows: 8, quads: 1 };

/// Four such loads for sixteen.
const LARGE: Class = Class::Tiled { tile_m: 128, tile_n: 128, tile_k: TILE_K, rows: 8, quads: 2 };

/// Most lanes of a subgroup that is the vector unit of a processor: its registers are backed by the
/// nearest cache, so that a lane may own many sums.
const PROCESSOR_LANES: u32 = 8;

impl Class {
    /// Every class that is used on an adapter with these facts; tests run them all.
    pub fn menu(gpu: &GpuFacts) -> Vec<Class> {
        let all = Class::all(gpu).into_iter().enumerate();
        all.filter(|(place, _)| gpu.barred & (1 << place) == 0).map(|(_, class)| class).collect()
    }

    /// Every class that an adapter like this can run. Those through workgroup memory come first: they need the least of a
    /// driver.
    pub fn all(gpu: &GpuFacts) -> Vec<Class> {
        let mut menu = vec![SMALL, MEDIUM, LARGE];
        if let Some(lanes) = gpu.subgroup_size {
            let tiles: &[(u32, u32)] = if lanes <= PROCESSOR_LANES {
                &[(8, 1), (16, 1), (32, 1), (20, 2), (32, 2), (64, 1)]
            } else {
                &[(8, 1), (16, 1)]
            };
            menu.extend(tiles.iter().map(|&(rows, quads)| Class::Subgroup { lanes, rows, quads }));
        }
        menu
    }

    /// Rows and columns of the product that a workgroup computes.
    pub fn tile(self) -> (u32, u32) {
        match self {
            Class::Tiled { tile_m, tile_n, .. } => (tile_m, tile_n),
            Class::Subgroup { lanes, rows, quads } => (rows, 4 * lanes * quads),
        }
    }

    /// Invocations of a workgroup.
    pub(super) fn workgroup(self) -> u32 {
        match self {
            Class::Tiled { tile_m, tile_n, rows, quads, .. } => tile_m / rows * (tile_n / 4 / quads),
            Class::Subgroup { lanes, .. } => lanes,
        }
    }

    /// Tiles down and across a product.
    pub(super) fn tiles(self, size: Size) -> (usize, usize) {
        let (tile_m, tile_n) = self.tile();
        (size.m.div_ceil(tile_m as usize), size.n.div_ceil(tile_n as usize))
    }

    /// Elements that are computed for each element of the product: 1 where tiles fit exactly.
    pub(super) fn waste(self, size: Size) -> f64 {
        let ((tile_m, tile_n), (down, across)) = (self.tile(), self.tiles(size));
        (down * across) as f64 * f64::from(tile_m * tile_n) / (size.m * size.n) as f64
    }

    /// Trips of an invocation's loops at most, over sums of `terms` terms: the terms, the sums of rows, and for one
    /// epilogue the bits of the step's rows.
    pub(super) const fn trips(self, terms: usize) -> u64 {
        let per_trip = match self {
            Class::Tiled { tile_k, .. } => tile_k,
            Class::Subgroup { .. } => 4,
        };
        let row_sums = match self {
            Class::Tiled { .. } => trips(terms.div_ceil(4), 0),
            Class::Subgroup { .. } => 0,
        };
        trips(terms.div_ceil(per_trip as usize), 0) + row_sums + trips(u32::BITS as usize, 0)
    }

    /// The class in names of kernels and in what a tuner remembers.
    pub fn label(self) -> String {
        match self {
            Class::Tiled { tile_m, tile_n, tile_k, rows, quads } => {
                format!("tiled_{tile_m}x{tile_n}x{tile_k}_{rows}x{quads}")
            }
            Class::Subgroup { lanes, rows, quads } => format!("subgroup_{lanes}_{rows}x{quads}"),
        }
    }

    /// The class that is likely best for a product of this size.
    pub(super) fn guess(size: Size, gpu: &GpuFacts) -> Class {
        let menu = Class::menu(gpu);
        let likely = Class::likely(size, gpu);
        if menu.contains(&likely) {
            return likely;
        }
        *menu.first().expect("a GPU without any class for products is refused")
    }

    fn likely(size: Size, gpu: &GpuFacts) -> Class {
        let Size { m, n, .. } = size;
        if let (true, Some(lanes)) = (gpu.software, gpu.subgroup_size) {
            let fitting = Class::all(gpu).into_iter().filter(|class| matches!(class, Class::Subgroup { .. }));
            let few = n <= 4 * lanes as usize;
            let cost = |class: &Class| {
                let Class::Subgroup { rows, quads, .. } = *class else {
                    unreachable!("others were left out")
                };
                // Multiply-adds, and the loads behind them: a row's and a column's terms serve a whole tile.
                let loads = 16.0 / f64::from(rows) + if few { 0.5 } else { 0.5 / f64::from(quads) };
                // A processor has two cores at least, of which one idles where the number of tiles is odd.
                let (down, across) = class.tiles(size);
                let idle = ((down * across).next_multiple_of(2)) as f64 / (down * across) as f64;
                class.waste(size) * (1.0 + loads) * idle
            };
            return fitting.min_by(|one, other| cost(one).total_cmp(&cost(other))).expect("there are some");
        }
        // A large tile moves less memory, where there are enough tiles to go around.
        if m.div_ceil(128) * n.div_ceil(128) >= 128 {
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
    use super::super::parts::MOST_TERMS_OF_A_PART;
    use super::*;
    use crate::kernel::MOST_TRIPS;

    #[test]
    fn every_class_has_trips_enough_for_the_longest_sum() {
        for lanes in [4, 8, 16, 32, 64, 128] {
            let facts = GpuFacts { subgroup_size: Some(lanes), ..GpuFacts::default() };
            for class in Class::menu(&facts) {
                let trips = class.trips(MOST_TERMS_OF_A_PART);
                assert!(trips <= MOST_TRIPS, "{class:?}: {trips} trips");
            }
        }
    }

    #[test]
    fn small_products_do_not_get_large_tiles() {
        let facts = GpuFacts { subgroup_size: Some(8), software: true, ..GpuFacts::default() };
        let size = |m, n, k| Size { m, n, k };
        for (size, most) in [(size(1, 10, 64), 32.0), (size(64, 128, 784), 1.0), (size(100, 3072, 32), 1.13)]
        {
            let class = Class::guess(size, &facts);
            assert!(class.waste(size) <= most, "{class:?} wastes {} for {size:?}", class.waste(size));
        }
    }
}
