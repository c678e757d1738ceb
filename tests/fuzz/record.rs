//! The files of a run that a report reads.

use shadegrad::ErrorKind::{Model, Usage};
use shadegrad::report::{Examination, Findings, Record, Report};
use shadegrad::run::reopen;

use crate::harness::{Target, dictionary, fuzz, taken};

const NAMES: [&str; 4] = ["run.json", "config.toml", "metrics.jsonl", "evaluation.json"];

const RUN: &str = r#"{ "schema": 1, "shadegrad": "0.1.0", "system": "linux x86_64",
  "arguments": ["shadegrad", "train", "--lr", "0.1"],
  "device": { "name": "CPU <b>", "backend": "cpu", "driver": "2 threads", "type": "cpu" },
  "dataset": { "name": "mnist", "train": 60000, "validation": 0, "test": 10000, "classes": 10, "shape": [1, 28, 28] },
  "data_files": { "count": 1, "sha256": "e3b0", "folder": "/data", "files": { "/data/train-images": "00ff" } },
  "data_dir": null,
  "model": "linear:10", "parameters": 7850, "seed": 3 }"#;

const CONFIG: &str = "preset = \"fashion-mnist\"\ndata = \"mnist\"\nlr = 0.1\nseed = 3\n";

const EVALUATION: &str = r#"{ "schema": 1, "checkpoint": "checkpoints/00000100", "weights_sha256": "00ff",
  "loss": 0.5, "accuracy": 0.5, "classes": ["cat", "dog"], "confusion": [[1, 1], [0, 0]],
  "mistakes": [{ "image": 1, "class": 0, "answer": 1, "confidence": 0.75, "loss": 1.5, "file": "cat/1.png",
    "picture": "data:image/png;base64,AAAA" }] }"#;

/// An epoch's event, as `train` writes it.
fn metrics() -> String {
    let line = |epoch: usize| {
        format!(
            "{{\"schema\":1,\"event\":\"epoch\",\"epoch\":{epoch},\"step\":{},\"train_loss\":0.75,\
             \"train_accuracy\":0.5,\"test_loss\":1e-3,\"test_accuracy\":0.{epoch},\"train_cross_entropy\":0.5,\
             \"test_cross_entropy\":0.25,\"learning_rate\":0.01,\"seconds\":2.5,\"images_per_second\":123.5}}\n",
            100 * epoch
        )
    };
    (1..4).map(line).collect()
}

#[test]
fn runs() {
    let samples = [RUN.as_bytes().to_vec(), CONFIG.into(), metrics().into(), EVALUATION.into()].to_vec();
    let target = Target { name: "runs", samples, dictionary: dictionary!("record"), mend: None };
    fuzz(&target, |case| {
        for (sample, name) in NAMES.into_iter().enumerate() {
            let bytes = if sample == case.sample { &case.bytes } else { &target.samples[sample] };
            std::fs::write(case.folder.join(name), bytes).expect("the folder is writable");
        }
        // `resume` reads another part of the file, and then finds no checkpoint.
        std::fs::create_dir_all(case.folder.join("checkpoints")).expect("the folder is writable");
        assert!(taken(reopen(case.folder), &[Model]).is_none());
        let Some(record) = taken(Record::read(case.folder), &[Model, Usage]) else { return false };
        let Some(examination) = taken(Examination::read(case.folder), &[Model]) else { return false };
        let findings = Findings::Made(Box::new(examination.expect("the file is there")));
        let page = Report { record: &record, model: None, findings }.to_body().expect("it can be drawn");
        assert!(!page.contains("<script>alert"), "the run's files put a script into the report");
        true
    });
}
