//! Classes of tiles for the kernels of matrix products.

/// Cooperative matrices: square f16 matrices that a subgroup multiplies, with sums in f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CooperativeMatrix {
    /// Rows and columns of each: 8 or 16.
    pub size: u32,
    /// Whether they can be loaded from vectors of four. Metal's can be loaded only from scalars.
    pub vec4_loads: bool,
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
    /// Cooperative matrices, only for products of f16 operands.
    Cooperative {
        /// The matrix that a subgroup multiplies.
        matrix: CooperativeMatrix,
        /// Lanes of a subgroup.
        lanes: u32,
        /// Matrices of the product that a subgroup computes, down.
        rows: u32,
        /// Matrices of the product that a subgroup computes, across.
        columns: u32,
        /// Subgroups of a workgroup, down its tile.
        subgroups_m: u32,
        /// Subgroups of a workgroup, across its tile.
        subgroups_n: u32,
    },
}
