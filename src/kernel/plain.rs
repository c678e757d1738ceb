//! Kernels of `shaders/` that are not rendered from templates.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::descriptor::{Dispatch, Kernel, Uniform, fold};
use crate::tensor::{Element, Tensor};

/// A kernel whose uniform `params` is a `P`, and its f16 version if it can store f16.
#[derive(Debug)]
pub(crate) struct PlainKernel<P> {
    full: Kernel,
    half: Option<Kernel>,
    params: PhantomData<fn(P)>,
}

impl<P> PlainKernel<P> {
    pub(super) const fn new(full: Kernel, half: Option<Kernel>) -> Self {
        PlainKernel { full, half, params: PhantomData }
    }

    /// The kernel, and its f16 version if it has one.
    pub(super) fn variants(&self) -> Vec<Kernel> {
        [&self.full].into_iter().chain(&self.half).cloned().collect()
    }

    pub(crate) const fn workgroup(&self) -> [u32; 3] {
        self.full.workgroup
    }

    pub(crate) const fn invocations(&self) -> u32 {
        let [x, y, z] = self.full.workgroup;
        x * y * z
    }
}

impl<P: Uniform> PlainKernel<P> {
    /// A use of the kernel, or of its f16 version if a tensor holds f16. `iterations` is an upper
    /// bound on the loop iterations of one invocation; see [`iterations`](super::iterations).
    ///
    /// # Panics
    /// If there are more or fewer tensors than bindings, or if a tensor holds f16 and the kernel
    /// has no f16 version.
    pub(crate) fn dispatch(
        &'static self,
        params: P,
        tensors: &[Tensor],
        grid: [u32; 3],
        iterations: u64,
    ) -> Dispatch {
        let has_f16 = tensors.iter().any(|tensor| tensor.element() == Element::F16);
        let kernel = self.half.as_ref().filter(|_| has_f16).unwrap_or(&self.full);
        assert!(!has_f16 || kernel.needs_f16(), "kernel {} has no f16 version", kernel.name);
        assert_eq!(tensors.len(), kernel.bindings.len(), "tensors of kernel {}", kernel.name);
        Dispatch {
            kernel: Cow::Borrowed(kernel),
            params: params.to_bytes(),
            tensors: tensors.to_vec(),
            grid,
            iterations,
        }
    }

    /// A use of the kernel with one invocation for each of `items`; see [`fold`].
    ///
    /// # Panics
    /// If [`dispatch`](Self::dispatch) panics.
    pub(crate) fn for_each(
        &'static self,
        items: usize,
        params: P,
        tensors: &[Tensor],
        iterations: u64,
    ) -> Dispatch {
        self.dispatch(params, tensors, fold(items, self.invocations()), iterations)
    }
}
