//! Data at the limit of what a device can bind at once: 128 MiB with WebGPU's default limits.

use shadegrad::ErrorKind;
use shadegrad::augmentation::Augmentation;
use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::ops::gather::{self, Images};
use shadegrad::plan::{Array, Launch, Plan, Role, StepId, StepRecord};
use shadegrad::tensor::{Element, Tensor};

use crate::bench::PLAIN_RUN;
use crate::subject::Subject;

/// Bytes of an image of CIFAR-10, whose training set no default binding can hold.
const PIXELS: usize = 3072;
const BATCH: usize = 8;

struct Gathering {
    plan: Plan,
    step: StepId,
    images: Images,
    order: Tensor,
    x: Tensor,
}

/// Gathers from two pieces with this many images.
fn gathering(pieces: [usize; 2]) -> Gathering {
    let mut plan = Plan::new();
    let count = pieces.iter().sum();
    let pieces = pieces.map(|held| plan.declare("piece", Role::Input, Element::U8, [held, PIXELS]));
    let images = Images {
        pieces: pieces.to_vec(),
        labels: plan.declare("labels", Role::Input, Element::U32, [count]),
        normalisation: plan.declare("normalisation", Role::Input, Element::F32, [3, 2]),
        height: 32,
        width: 32,
        augmentation: Augmentation::default(),
    };
    let order = plan.declare("order", Role::Input, Element::U32, [BATCH]);
    let step = plan.begin("gather");
    let x = gather::forward(&mut plan, &images, order, BATCH, Element::F32).x;
    Gathering { plan, step, images, order, x }
}

/// The pixels of an image: all the same, and different from its neighbours'.
fn shade(image: usize) -> u8 {
    (image % 251) as u8
}

pub fn a_piece_may_be_as_large_as_a_binding() {
    let (gpu, _) = Subject::gpu(Capabilities::WebGpuDefaults);
    let largest = gpu.device.largest_tensor();
    assert_eq!(largest, 128 << 20, "the default limit of a storage binding");
    let full = largest / PIXELS;
    let last = 50_000 - full;
    let Gathering { plan, step, images, order, x } = gathering([full, last]);
    let mut session = gpu.device.load(plan).expect("pieces within the limit are accepted");
    for (piece, (first, held)) in images.pieces.iter().zip([(0, full), (full, last)]) {
        let bytes = (first..first + held).flat_map(|image| [shade(image); PIXELS]).collect();
        session.write(*piece, Array::U8(bytes)).expect("a piece can be written");
    }
    let factors = [1.0, 0.0, 2.0, 0.5, -1.0, 3.0];
    session.write(images.normalisation, Array::F32(factors.to_vec())).expect("factors can be written");
    // Images on both sides of the boundary between the pieces, and at both ends.
    let picks = [0, full - 1, full, full + 1, 49_999, 1, full - 2, full];
    session.write(order, Array::U32(picks.map(|pick| pick as u32).to_vec())).expect("an order");
    let record = StepRecord { rows: BATCH as u32, ..PLAIN_RUN };
    let ticket = session.submit(&[Launch { step, record }], &[], 0).expect("the step can be submitted");
    session.finish(ticket).expect("the step can be finished");
    let got = session.read(x).expect("x can be read").into_f32();
    for (row, pick) in picks.into_iter().enumerate() {
        for (pixel, &value) in got[row * PIXELS..][..PIXELS].iter().enumerate() {
            let channel = pixel / (PIXELS / 3);
            let wanted = f32::from(shade(pick)) * factors[2 * channel] + factors[2 * channel + 1];
            assert_eq!(value, wanted, "row {row}, image {pick}, pixel {pixel}");
        }
    }
}

pub fn a_larger_piece_is_refused_by_name() {
    let (gpu, _) = Subject::gpu(Capabilities::WebGpuDefaults);
    let held = gpu.device.largest_tensor() / PIXELS + 1;
    let refused = gpu.device.load(gathering([held, 1]).plan).err();
    let error = refused.expect("a tensor beyond the limit is refused");
    assert_eq!(error.kind(), ErrorKind::Device);
    assert!(error.to_string().contains("piece"), "{error}");
    assert!(error.advice().is_some(), "{error} says what to do");
}
