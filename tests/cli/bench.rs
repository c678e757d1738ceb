//! `bench`: its output and its error messages.

use crate::cli::support::{Sandbox, fine, shadegrad};

#[test]
fn kernels_on_the_cpu_are_a_table_without_escape_codes() {
    let outcome = fine(shadegrad(&["bench", "--kernels", "--device", "cpu", "--seconds", "0.01"]));
    for fragment in ["CPU, ", "peak ", "GFLOP/s", "GB/s", "64x128x784", "gather", "softmax", "sgd"] {
        assert!(outcome.stdout.contains(fragment), "no {fragment:?} in {outcome:#?}");
    }
    assert!(!outcome.stdout.contains('\x1b') && !outcome.stderr.contains('\x1b'), "{outcome:#?}");
    assert!(!outcome.stdout.contains("training"), "{outcome:#?}");
}

#[test]
fn kernels_as_json_are_one_object_with_plausible_figures() {
    let outcome = shadegrad(&["bench", "--kernels", "--device", "cpu", "--seconds", "0.01", "--json"]);
    let events = outcome.events();
    assert_eq!(events.len(), 1, "{outcome:#?}");
    let bench = &events[0];
    assert_eq!(bench["event"], "bench");
    assert_eq!(bench["device"]["type"], "cpu");
    assert!(bench["kernels"]["peak_gflops"].as_f64().is_some_and(|peak| peak > 0.0), "{bench}");
    let ops = bench["kernels"]["ops"].as_array().expect("a list");
    assert!(ops.len() >= 10, "{bench}");
    for op in ops {
        let seconds = |field: &str| op["seconds"][field].as_f64().expect("a number");
        assert!(0.0 < seconds("min") && seconds("min") <= seconds("median"), "{op}");
        assert!(seconds("median") <= seconds("max"), "{op}");
        assert!(op["gflops"].is_f64() != op["gigabytes_per_second"].is_f64(), "{op}");
        assert_eq!(op["gflops"].is_f64(), op["peak_share"].is_f64(), "{op}");
    }
    assert!(bench["training"].is_null(), "{bench}");
}

#[test]
fn a_device_that_is_not_there_and_no_time_are_refused() {
    shadegrad(&["bench", "--kernels", "--device", "999"]).refused(4).because(&["device 999"]);
    shadegrad(&["bench", "--seconds", "0"]).refused(2).because(&["--seconds 0"]);
    shadegrad(&["bench", "--seconds", "nan", "--device", "999"]).refused(2);
}

#[test]
fn a_profile_names_kernels_and_adds_up() {
    for (device, kernel) in [("cpu", "matmul_update"), ("gpu", "matmul_tn_sgd")] {
        let sandbox = Sandbox::new();
        let common = ["train", "--max-steps", "30", "--no-tune", "--profile", "--json", "--device"];
        let outcome = fine(sandbox.run(&[&common[..], &[device]].concat()));
        assert!(!outcome.stderr.contains("fastest kernels"), "--no-tune tunes: {outcome:#?}");
        let events = outcome.events();
        let profile = events.last().expect("there are events");
        assert_eq!(profile["event"], "profile", "{outcome:#?}");
        assert!(["device", "host"].contains(&profile["clock"].as_str().expect("a clock")), "{profile}");
        let rows = profile["kernels"].as_array().expect("a list");
        let share: f64 = rows.iter().map(|row| row["share"].as_f64().expect("a number")).sum();
        assert!((share - 1.0).abs() < 1e-9, "{profile}");
        let named =
            rows.iter().find(|row| row["kernel"].as_str().is_some_and(|name| name.starts_with(kernel)));
        let named = named.unwrap_or_else(|| panic!("no {kernel} in {profile}"));
        let [launches, timed] = ["launches", "timed"].map(|field| named[field].as_u64().expect("a count"));
        assert!(launches >= 30 && (1..=launches).contains(&timed), "{named}");
    }
}
