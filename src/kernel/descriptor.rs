//! Descriptors of kernels, and dispatches that use them.

use std::borrow::Cow;

use crate::tensor::Tensor;

/// Maximum loop iterations of one invocation: Mesa's older software driver silently ends every
/// loop once an invocation has made 65,535. See [`iterations`].
pub const MOST_ITERATIONS: u64 = 65_535;

/// Iterations of a loop whose body runs `times` times, where the loops within the body make
/// `inside` iterations each time. The last iteration, which only tests the condition, counts, too.
pub const fn iterations(times: usize, inside: u64) -> u64 {
    times as u64 * (1 + inside) + 1
}

/// Workgroups that fit in one dimension of a dispatch on any device.
pub const MOST_GROUPS: u32 = 65_535;

/// Whether a kernel only reads a binding or may write it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    ReadWrite,
}

/// One storage binding of a kernel: the n-th of a descriptor is `@group(0) @binding(n + 1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The variable's name in the shader.
    pub name: &'static str,
    /// How the shader may use it.
    pub access: Access,
}

/// A binding that is only read.
pub const fn read(name: &'static str) -> Binding {
    Binding { name, access: Access::Read }
}

/// A binding that is written.
pub const fn write(name: &'static str) -> Binding {
    Binding { name, access: Access::ReadWrite }
}

/// Type of a uniform's field. Every type has four bytes, so a struct of them has no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// `u32`
    U32,
    /// `f32`
    F32,
}

/// One field of a uniform struct. The n-th field lies at byte 4n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The field's name in the shader.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldKind,
}

/// Whether two structs have the same fields in the same order.
pub(crate) const fn same_fields(one: &[Field], other: &[Field]) -> bool {
    let mut same = one.len() == other.len();
    let mut index = 0;
    while same && index < one.len() {
        let (a, b) = (&one[index], &other[index]);
        same = a.kind as u8 == b.kind as u8 && same_text(a.name, b.name);
        index += 1;
    }
    same
}

const fn same_text(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

/// A Rust type with a matching struct in WGSL. The `uniform!` macro implements it.
pub trait Uniform: Copy {
    /// The fields of the WGSL struct, in order.
    const FIELDS: &'static [Field];
    /// The struct as the shader sees it, padded to a multiple of 16 bytes.
    fn to_bytes(&self) -> Vec<u8>;
}

/// Declares a struct of `u32` and `f32` fields that a shader sees under the same names.
macro_rules! uniform {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $kind:ident,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        $visibility struct $name {
            $($(#[$field_meta])* pub $field: $kind,)+
        }

        impl $crate::kernel::Uniform for $name {
            const FIELDS: &'static [$crate::kernel::Field] = &[$($crate::kernel::Field {
                name: stringify!($field),
                kind: $crate::kernel::uniform!(@kind $kind),
            },)+];

            fn to_bytes(&self) -> Vec<u8> {
                let mut bytes = Vec::with_capacity(4 * Self::FIELDS.len() + 12);
                $(bytes.extend_from_slice(&self.$field.to_ne_bytes());)+
                bytes.resize(bytes.len().next_multiple_of(16), 0);
                bytes
            }
        }
    };
    (@kind u32) => { $crate::kernel::FieldKind::U32 };
    (@kind f32) => { $crate::kernel::FieldKind::F32 };
}
pub(crate) use uniform;

/// Describes a kernel: its WGSL text and the bindings that the text expects.
///
/// `@group(0) @binding(0)` is the uniform `params`; the storage bindings follow in order. A kernel
/// that needs values that change from step to step reads them from `@group(1) @binding(0)`, the
/// uniform `step` (see [`StepRecord`](crate::plan::StepRecord)). The entry point is `main`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// Unique; names the pipeline in error messages and profiles.
    pub name: Cow<'static, str>,
    /// The shader's text.
    pub source: Cow<'static, str>,
    /// Size of a workgroup.
    pub workgroup: [u32; 3],
    /// Storage bindings.
    pub bindings: Cow<'static, [Binding]>,
    /// Whether the shader has the uniform `step`.
    pub reads_step: bool,
    /// Whether the shader needs subgroup operations.
    pub subgroups: bool,
}

impl Kernel {
    /// Whether the shader needs f16.
    pub fn needs_f16(&self) -> bool {
        self.enables("f16")
    }

    /// Whether the shader needs cooperative matrices.
    pub fn needs_cooperative_matrices(&self) -> bool {
        self.enables("wgpu_cooperative_matrix")
    }

    /// Whether one of the text's first lines enables this extension of WGSL.
    fn enables(&self, extension: &str) -> bool {
        let mut asked = self.source.lines().map_while(|line| line.strip_prefix("enable "));
        asked.any(|name| name.strip_suffix(';') == Some(extension))
    }
}

/// One use of a kernel: the tensors that it binds, the bytes of its uniform, and the grid.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The kernel.
    pub kernel: Cow<'static, Kernel>,
    /// Bytes of the uniform `params`.
    pub params: Vec<u8>,
    /// The tensors to bind, in the order of the descriptor's bindings.
    pub tensors: Vec<Tensor>,
    /// Workgroups in each dimension.
    pub grid: [u32; 3],
    /// Upper bound on the loop iterations of one invocation; see [`iterations`].
    pub iterations: u64,
}

/// Workgroups for `items` items with `per_group` items each, folded into two dimensions if one is
/// too short. The shader's linear index is `group.y * groups.x + group.x`, and the shader must
/// ignore indices past the end.
///
/// # Panics
/// If there are 2^32 workgroups or more.
pub fn fold(items: usize, per_group: u32) -> [u32; 3] {
    let groups = u32::try_from(items.div_ceil(per_group as usize)).expect("fewer than 2^32 groups");
    let y = groups.div_ceil(MOST_GROUPS);
    [groups.div_ceil(y), y, 1]
}

/// The grid for `rows` rows of `items` items each, in which workgroup `(x, y, z)` belongs to row
/// `z groups.y + y`. The shader must ignore rows past the last.
pub(crate) fn fold_rows(rows: usize, items: usize, per_group: u32) -> [u32; 3] {
    let [across, down] = [items.div_ceil(per_group as usize), rows]
        .map(|groups| u32::try_from(groups).expect("fewer than 2^32 groups"));
    assert!(across <= MOST_GROUPS, "a row of {items} items is too long");
    let layers = down.div_ceil(MOST_GROUPS);
    [across, down.div_ceil(layers), layers]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_that_differ_are_told_apart() {
        const A: Field = Field { name: "a", kind: FieldKind::U32 };
        const B: Field = Field { name: "b", kind: FieldKind::F32 };
        assert!(same_fields(&[A, B], &[A, B]));
        for other in [&[A] as &[Field], &[B, A], &[A, A], &[A, Field { name: "b", ..A }], &[A, B, B]] {
            assert!(!same_fields(&[A, B], other), "{other:?}");
        }
    }

    #[test]
    fn grids_of_rows_cover_every_row_and_fit() {
        for rows in [1, 64, MOST_GROUPS as usize, MOST_GROUPS as usize + 1, 1 << 20] {
            let [x, y, z] = fold_rows(rows, 65, 64);
            assert!(x == 2 && y <= MOST_GROUPS && z <= MOST_GROUPS);
            assert!(y as usize * z as usize >= rows);
        }
    }

    #[test]
    fn folded_grids_cover_everything_and_fit() {
        for items in [1, 64, 65, 65_535 * 64, 65_535 * 64 + 1, 1 << 30] {
            let [x, y, z] = fold(items, 64);
            assert!(x <= MOST_GROUPS && y <= MOST_GROUPS && z == 1);
            assert!(x as usize * y as usize * 64 >= items);
        }
    }
}
