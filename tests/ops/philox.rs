//! Tests that the shaders' random words equal those of `rng`.

use std::borrow::Cow;

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::{Dispatch, GpuFacts, Kernel, fold, read, write};
use shadegrad::plan::{Array, HostMemory, Launch, Op, Operands, Plan, Role, StepRecord};
use shadegrad::rng::{self, Purpose};
use shadegrad::tensor::{Element, Tensor};

use crate::bench::PLAIN_RUN;
use crate::numbers::Numbers;
use crate::subject::Subject;

const MAIN: &str = "
struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> counters: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> keys: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> words: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.length {
        words[id.x] = philox(counters[id.x], keys[id.x]);
    }
}
";

/// Words of `counters`, `[n, 4]`, and `keys`, `[n, 2]`.
#[derive(Debug)]
struct Words {
    counters: Tensor,
    keys: Tensor,
    words: Tensor,
}

impl Op for Words {
    fn name(&self) -> &'static str {
        "words"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.counters, self.keys], &[self.words])
    }

    fn run_on_cpu(&self, _: &HostMemory, _: &StepRecord) {
        unreachable!("it runs on a GPU only");
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let [length, _] = self.counters.matrix("counters");
        let kernel = Kernel {
            name: Cow::Borrowed("words"),
            source: Cow::Owned(format!("{}\n{MAIN}", include_str!("../../shaders/philox.wgsl"))),
            workgroup: [64, 1, 1],
            bindings: Cow::Owned(vec![read("counters"), read("keys"), write("words")]),
            reads_step: false,
            subgroups: false,
        };
        let mut params = (length as u32).to_ne_bytes().to_vec();
        params.resize(16, 0);
        vec![Dispatch {
            kernel: Cow::Owned(kernel),
            params,
            tensors: vec![self.counters, self.keys, self.words],
            grid: fold(length, 64),
            iterations: 11,
        }]
    }
}

fn words_of(counters: &[[u32; 4]], keys: &[[u32; 2]]) -> Vec<[u32; 4]> {
    let mut plan = Plan::new();
    let count = counters.len();
    let counters_tensor = plan.declare("counters", Role::Input, Element::U32, [count, 4]);
    let keys_tensor = plan.declare("keys", Role::Input, Element::U32, [count, 2]);
    let step = plan.begin("words");
    let words = plan.declare("words", Role::Scratch, Element::U32, [count, 4]);
    plan.record(Words { counters: counters_tensor, keys: keys_tensor, words });
    let (gpu, _) = Subject::gpu(Capabilities::WebGpuDefaults);
    let mut session = gpu.device.load(plan).expect("the plan can be loaded");
    session.write(counters_tensor, Array::U32(counters.concat())).expect("counters can be written");
    session.write(keys_tensor, Array::U32(keys.concat())).expect("keys can be written");
    let ticket =
        session.submit(&[Launch { step, record: PLAIN_RUN }], &[], 0).expect("the step can be submitted");
    session.finish(ticket).expect("the step can be finished");
    let Array::U32(found) = session.read(words).expect("words can be read") else {
        panic!("words are integers")
    };
    found.chunks_exact(4).map(|words| std::array::from_fn(|index| words[index])).collect()
}

/// Known answers from Random123's `kat_vectors`.
pub fn shaders_give_the_known_answers() {
    let counters = [[0; 4], [u32::MAX; 4], [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]];
    let keys = [[0; 2], [u32::MAX; 2], [0xa409_3822, 0x299f_31d0]];
    assert_eq!(
        words_of(&counters, &keys),
        [
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ]
    );
}

pub fn shaders_and_host_have_the_same_streams() {
    let mut numbers = Numbers::of("streams", false);
    let mut word = || numbers.indices(1, 1 << 32)[0];
    let (mut counters, mut keys, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..5000 {
        let (low, high, seed) = (word(), word() % 3, u64::from(word()) << 32 | u64::from(word()));
        counters.push([low, high, index, Purpose::Augment as u32]);
        keys.push(rng::key(seed));
        let position = u64::from(high) << 32 | u64::from(low);
        wanted.push(rng::block(seed, Purpose::Augment, index, position));
    }
    assert_eq!(words_of(&counters, &keys), wanted);
}
