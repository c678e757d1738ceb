//! Orders adapters, the best first, and finds those that are the same GPU through two backends.

use crate::device::info::{DeviceInfo, DeviceKind};

/// The properties that the order of adapters depends on.
#[derive(Clone, Debug)]
pub(super) struct Description<'a> {
    pub(super) info: &'a DeviceInfo,
    /// PCI identifiers of the vendor and the model; zeros if the backend does not report them.
    pub(super) ids: [u32; 2],
}

/// An adapter's place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the adapter in the descriptions.
    pub(super) adapter: usize,
    /// Place of the same GPU through Vulkan, which is preferred.
    pub(super) same_gpu_as: Option<usize>,
}

impl Description<'_> {
    /// Whether both are the same model of GPU. Backends agree on PCI identifiers. A vendor without
    /// a PCI identifier has a different number in each backend, so the names are compared.
    fn is_same_gpu(&self, other: &Description<'_>) -> bool {
        let has_same_ids = self.ids != [0, 0] && self.ids == other.ids;
        has_same_ids || self.info.name.eq_ignore_ascii_case(&other.info.name)
    }

    fn is_through(&self, backend: &str) -> bool {
        self.info.backend == backend
    }
}

/// Orders adapters, the best first: discrete, integrated, virtual, software. The same GPU through
/// Vulkan and DX12 has the rank of its better description, and Vulkan comes first: it supports more
/// features (cooperative matrices), and does not need one of Microsoft's shader compilers.
pub(super) fn order(found: &[Description<'_>]) -> Vec<Place> {
    let rank_of_gpu = |adapter: usize| {
        let same = found.iter().filter(|other| other.is_same_gpu(&found[adapter]));
        same.map(|description| rank(description.info.kind)).min()
    };
    let through_vulkan: Vec<Option<usize>> = (0..found.len()).map(|at| vulkan_twin(found, at)).collect();
    let mut sorted: Vec<usize> = (0..found.len()).collect();
    // The sort is stable: ties keep the order of the drivers, so indices are reproducible.
    sorted.sort_by_key(|&adapter| (rank_of_gpu(adapter), through_vulkan[adapter].is_some()));
    let place_of = |adapter: usize| sorted.iter().position(|&other| other == adapter);
    let place = |&adapter: &usize| Place { adapter, same_gpu_as: through_vulkan[adapter].and_then(place_of) };
    sorted.iter().map(place).collect()
}

/// Returns the same GPU through Vulkan, if `at` is one through DX12. With several GPUs of the same
/// model, the first through one backend is assumed to be the first through the other.
fn vulkan_twin(found: &[Description<'_>], at: usize) -> Option<usize> {
    let same = |backend: &'static str| {
        let indices = 0..found.len();
        indices.filter(move |&other| found[other].is_through(backend) && found[other].is_same_gpu(&found[at]))
    };
    let before = same("dx12").position(|other| other == at)?;
    same("vulkan").nth(before).or_else(|| same("vulkan").next_back())
}

fn rank(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::Discrete => 0,
        DeviceKind::Integrated => 1,
        DeviceKind::Virtual => 2,
        DeviceKind::Other => 3,
        DeviceKind::Software | DeviceKind::Cpu => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeviceKind::{Discrete, Integrated, Other, Software, Virtual};

    type Found = (&'static str, &'static str, DeviceKind, [u32; 2]);

    /// Returns each adapter in order, with the one that is preferred to it, as indices into
    /// `found`.
    fn ordered(found: &[Found]) -> Vec<(usize, Option<usize>)> {
        let info = |&(name, backend, kind, _): &Found| DeviceInfo::named(name, backend, kind);
        let infos: Vec<DeviceInfo> = found.iter().map(info).collect();
        let describe = |(info, &(_, _, _, ids)): (_, &Found)| Description { info, ids };
        let places = order(&infos.iter().zip(found).map(describe).collect::<Vec<_>>());
        let adapter = |place: usize| places[place].adapter;
        places.iter().map(|place| (place.adapter, place.same_gpu_as.map(adapter))).collect()
    }

    const RTX: [u32; 2] = [0x10de, 0x2684];
    const UHD: [u32; 2] = [0x8086, 0x3e92];

    #[test]
    fn the_best_kind_comes_first_and_equals_keep_their_order() {
        let found = [
            ("llvmpipe", "vulkan", Software, [0x10005, 0]),
            ("paravirtual", "vulkan", Virtual, [1, 1]),
            ("UHD", "vulkan", Integrated, UHD),
            ("strange", "vulkan", Other, [2, 1]),
            ("T4", "vulkan", Discrete, [0x10de, 1]),
            ("H100", "vulkan", Discrete, [0x10de, 2]),
        ];
        let order: Vec<usize> = ordered(&found).into_iter().map(|(adapter, _)| adapter).collect();
        assert_eq!(order, [4, 5, 2, 1, 3, 0]);
        assert!(ordered(&found).iter().all(|(_, preferred)| preferred.is_none()));
    }

    #[test]
    fn one_gpu_through_two_backends_is_taken_through_vulkan() {
        // The result depends neither on the order nor on the kind that a backend reports.
        for kinds in [[Discrete, Discrete], [Virtual, Discrete], [Discrete, Virtual], [Other, Integrated]] {
            let vulkan = ("NVIDIA GeForce RTX 4090", "vulkan", kinds[0], RTX);
            let dx12 = ("NVIDIA GeForce RTX 4090", "dx12", kinds[1], RTX);
            assert_eq!(ordered(&[vulkan, dx12]), [(0, None), (1, Some(0))], "{kinds:?}");
            assert_eq!(ordered(&[dx12, vulkan]), [(1, None), (0, Some(1))], "{kinds:?}");
        }
    }

    #[test]
    fn identifiers_or_names_tell_that_a_gpu_is_the_same() {
        // A driver may use another name.
        let found = [("RTX 4090", "dx12", Discrete, RTX), ("NVIDIA RTX 4090", "vulkan", Discrete, RTX)];
        assert_eq!(ordered(&found), [(1, None), (0, Some(1))]);
        // Qualcomm's vendor number differs between backends; some vendors have none.
        for ids in [[0x5143, 7], [0, 0]] {
            let found = [
                ("Adreno X1-85", "dx12", Integrated, [0x4d4f_4351, 9]),
                ("ADRENO X1-85", "vulkan", Integrated, ids),
            ];
            assert_eq!(ordered(&found), [(1, None), (0, Some(1))]);
        }
        // Adapters without identifiers may be different GPUs.
        let found = [("one", "dx12", Integrated, [0, 0]), ("other", "vulkan", Integrated, [0, 0])];
        assert_eq!(ordered(&found), [(0, None), (1, None)]);
    }

    #[test]
    fn a_gpu_with_dx12_alone_keeps_its_rank() {
        let found = [
            ("UHD", "vulkan", Integrated, UHD),
            ("UHD", "dx12", Integrated, UHD),
            ("RTX", "dx12", Discrete, RTX),
            ("Microsoft Basic Render Driver", "dx12", Software, [0x1414, 0x8c]),
        ];
        assert_eq!(ordered(&found), [(2, None), (0, None), (1, Some(0)), (3, None)]);
    }

    #[test]
    fn of_two_gpus_of_one_model_each_has_its_own_counterpart() {
        let found = [
            ("RTX", "vulkan", Discrete, RTX),
            ("RTX", "vulkan", Discrete, RTX),
            ("RTX", "dx12", Discrete, RTX),
            ("RTX", "dx12", Discrete, RTX),
        ];
        assert_eq!(ordered(&found), [(0, None), (1, None), (2, Some(0)), (3, Some(1))]);
        // A driver may report one of them only through DX12.
        assert_eq!(ordered(&found[1..]), [(0, None), (1, Some(0)), (2, Some(0))]);
    }

    #[test]
    fn metal_has_no_counterpart() {
        let found = [("Apple M3", "metal", Integrated, [0, 0])];
        assert_eq!(ordered(&found), [(0, None)]);
        assert_eq!(ordered(&[]), []);
    }
}
