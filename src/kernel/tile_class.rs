//! What classes of tiles the kernels of matrix products may have.

/// Cooperative matrices: square ones of 16-bit floats, which a subgroup multiplies and sums in 32
/// bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matrices {
    /// Rows and columns of each: 8 or 16.
    pub side: u32,
    /// Whether they can be loaded from vectors of four. Metal's can from numbers alone.
    pub vectors: bool,
}

/// A kernel class with its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileClass {
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
    /// Cooperative matrices, for products of 16-bit operands alone.
    Cooperative {
        /// What a subgroup multiplies at a time.
        matrices: Matrices,
        /// Lanes of a subgroup.
        lanes: u32,
        /// Matrices of the product that a subgroup owns, down.
        rows: u32,
        /// And across.
        columns: u32,
        /// Subgroups of a workgroup, down its tile.
        subgroups_m: u32,
        /// And across.
        subgroups_n: u32,
    },
}
