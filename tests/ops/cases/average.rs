//! Cases of moving averages: several updates, and a swap.

use shadegrad::ops::average;
use shadegrad::plan::StepRecord;

use super::lengths;
use crate::bench::{Cases, PLAIN_RUN, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::wrong_kernels::{Edit, edits};

case!(
    Follow {
        length: usize,
        decay: f32,
        range: f32,
        /// Step of the run at which the case starts.
        first: usize,
    },
    |bench| {
        let [w_values, averages] = [(); 2].map(|()| bench.numbers.floats(length, range));
        let w = bench.floats("w", [length], &w_values);
        let average = bench.parameter("average", [length], &averages);
        average::follow(bench.plan, w, average);
        let steps = first..first + 3;
        let records: Vec<StepRecord> = steps.map(|step| average::share(PLAIN_RUN, decay, step)).collect();
        bench.run_with(&records);
        bench.expect("average", average, Tolerance::rounded(4.0 * f64::from(range)), move || {
            let decay = f64::from(decay);
            let followed = widen(&averages).into_iter().zip(widen(&w_values)).map(|(mut average, w)| {
                for step in first..first + 3 {
                    average = if step == 0 { w } else { decay * average + (1.0 - decay) * w };
                }
                average
            });
            followed.collect()
        });
    }
);

case!(Exchange { length: usize }, |bench| {
    let [w_values, averages] = [(); 2].map(|()| bench.numbers.floats(length, UNIT));
    let w = bench.parameter("w", [length], &w_values);
    let average = bench.parameter("average", [length], &averages);
    average::exchange(bench.plan, w, average);
    bench.expect("w", w, Tolerance::EXACT, move || widen(&averages));
    bench.expect("average", average, Tolerance::EXACT, move || widen(&w_values));
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for (index, length) in lengths().into_iter().enumerate() {
        let (decay, range) = ([0.9, 0.0, 0.999][index % 3], [UNIT, LARGE, TINY][length % 3]);
        for first in [0, 7] {
            cases.push(Box::new(Follow { length, decay, range, first }));
        }
        cases.push(Box::new(Exchange { length }));
    }
    // More than 65,535 workgroups of 256.
    let length = 65_536 * 256 + 77;
    cases.push(Box::new(Follow { length, decay: 0.5, range: UNIT, first: 1 }));
    cases.push(Box::new(Exchange { length }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["Follow", "1009"] "average of the last step alone":
            "step.average_share * (w[i] - old)" => "(w[i] - old)";
        ["Exchange", "1009"] "average put in place and forgotten":
            "average[i] = old;" => "average[i] = w[i];";
    }
}
