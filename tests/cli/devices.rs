//! Choosing a device. A machine without a GPU driver is simulated by hiding the drivers.

use crate::cli::support::{Sandbox, fine, finish, shadegrad, without_gpu};

#[test]
fn a_device_that_is_not_there_is_refused_with_what_is() {
    for (wanted, fragment) in [
        ("999", "there is no device 999"),
        ("no such adapter", "no device is called `no such adapter`"),
        ("cppu", "did you mean `cpu`?"),
        ("GPUU", "did you mean `gpu`?"),
    ] {
        let outcome = shadegrad(&["train", "--device", wanted]);
        outcome.refused(4).because(&[fragment]);
        assert!(outcome.stderr.contains("cpu"), "{outcome:#?}");
    }
}

#[test]
fn a_device_without_16_bits_says_so_once() {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data/six-classes-5x4");
    let arguments =
        ["train", "--data", DATA, "--model", "linear:8,relu", "--device", "cpu", "--max-steps", "2"];
    let sandbox = Sandbox::new();
    for (precision, lines) in [("f32", 0), ("f16", 1)] {
        let outcome =
            fine(finish(&mut sandbox.command(&[&arguments[..], &["--precision", precision]].concat())));
        let said = outcome.stderr.lines().filter(|line| line.contains("f16 is not supported on"));
        assert_eq!(said.count(), lines, "{outcome:#?}");
    }
}

#[test]
fn mistakes_come_before_devices() {
    let sandbox = Sandbox::new();
    for arguments in [["train", "--lr", "0"], ["train", "--config", "missing.toml"]] {
        let arguments = [&arguments[..], &["--device", "999"]].concat();
        finish(without_gpu(&mut sandbox.command(&arguments))).refused(2);
    }
}

#[test]
fn without_a_driver_a_gpu_is_refused_with_advice() {
    let sandbox = Sandbox::new();
    for wanted in ["gpu", "0", "nvidia"] {
        let outcome = finish(without_gpu(&mut sandbox.command(&["train", "--device", wanted])));
        outcome.refused(4);
        assert!(outcome.stderr.contains("help: "), "{outcome:#?}");
    }
}

#[test]
fn without_a_driver_devices_lists_the_cpu_and_says_what_to_do() {
    let sandbox = Sandbox::new();
    let outcome = fine(finish(without_gpu(&mut sandbox.command(&["devices"]))));
    assert!(outcome.stdout.contains("cpu") && outcome.stdout.contains("driver"), "{outcome:#?}");
    let outcome = finish(without_gpu(&mut sandbox.command(&["devices", "--json"])));
    let events = outcome.events();
    assert_eq!(events[0]["devices"].as_array().map(Vec::len), Some(0));
    assert!(events[0]["advice"].is_string());
}

#[test]
fn devices_lists_every_adapter_by_its_index() {
    let events = shadegrad(&["devices", "--json"]).events();
    let devices = events[0]["devices"].as_array().expect("a list");
    // A missing driver is a failure: these tests are about GPUs.
    assert!(!devices.is_empty(), "no GPU driver, not even a software one, is installed");
    for (index, device) in devices.iter().enumerate() {
        assert_eq!(device["index"], index);
        for field in ["name", "backend", "driver", "type", "shader_compiler"] {
            assert!(device[field].is_string(), "{field} of {device}");
        }
        if device["backend"] != "dx12" {
            assert_eq!(device["shader_compiler"], "the driver's own", "{device}");
            assert!(device["same_gpu_as"].is_null(), "{device}");
        }
        assert!(device["abilities"]["largest_buffer_bytes"].is_string(), "{device}");
    }
    assert_eq!(events[0]["cpu"]["backend"], "cpu");
}

#[test]
fn devices_names_the_shader_compiler_of_each_adapter() {
    let events = shadegrad(&["devices", "--json"]).events();
    let outcome = shadegrad(&["devices"]);
    let lines: Vec<&str> = outcome.stdout.lines().map(str::trim).collect();
    for device in events[0]["devices"].as_array().expect("a list") {
        let compiler = device["shader_compiler"].as_str().expect("a string");
        assert!(lines.contains(&format!("shader compiler: {compiler}").as_str()), "{outcome:#?}");
    }
}
