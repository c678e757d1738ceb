//! Event files for TensorBoard, parsed by a reader that shares no code with the writer: frames,
//! checksums bit by bit, and protobuf messages field by field.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::support::{Sandbox, fine};
use crate::cli::training::data;

/// CRC-32C as its polynomial defines it, a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// The inverse of the writer: computes the checksum from the stored value.
fn unmask(masked: u32) -> u32 {
    let rotated = masked.wrapping_sub(0xa282_ead8);
    rotated.rotate_left(15)
}

/// The data of each record; checks the checksums.
fn records(mut file: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !file.is_empty() {
        let (length, rest) = file.split_at(8);
        let (length_crc, rest) = rest.split_at(4);
        let (data, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let (data_crc, rest) = rest.split_at(4);
        for (bytes, crc) in [(length, length_crc), (data, data_crc)] {
            assert_eq!(unmask(u32::from_le_bytes(crc.try_into().unwrap())), crc32c(bytes));
        }
        records.push(data);
        file = rest;
    }
    records
}

/// A field of a protobuf message.
#[derive(Debug)]
enum Field<'a> {
    Whole(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first().expect("the number goes on");
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number of more than 64 bits");
}

/// The fields of a message with their numbers.
fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let mut take = |count: usize| {
            let (taken, rest) = message.split_at(count);
            message = rest;
            taken
        };
        let field = match key & 7 {
            0 => Field::Whole(varint(&mut message)),
            1 => Field::Eight(take(8).try_into().unwrap()),
            2 => {
                let length = varint(&mut message) as usize;
                let (taken, rest) = message.split_at(length);
                message = rest;
                Field::Bytes(taken)
            }
            5 => Field::Four(take(4).try_into().unwrap()),
            other => panic!("there is no wire type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

/// The scalars of an event by their tags, with the event's step.
fn scalars(event: &[u8]) -> (u64, BTreeMap<String, f32>) {
    let mut step = 0;
    let mut found = BTreeMap::new();
    for field in fields(event) {
        match field {
            (2, Field::Whole(number)) => step = number,
            (5, Field::Bytes(summary)) => {
                for (number, value) in fields(summary) {
                    let (1, Field::Bytes(value)) = (number, value) else {
                        panic!("a summary has values only")
                    };
                    let [(1, Field::Bytes(tag)), (2, Field::Four(number))] = fields(value)[..] else {
                        panic!("a value has a tag and a number");
                    };
                    let tag = std::str::from_utf8(tag).expect("a tag is text").to_owned();
                    found.insert(tag, f32::from_le_bytes(number));
                }
            }
            _ => {}
        }
    }
    (step, found)
}

/// The only event file in a folder.
fn event_file(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).expect("there is such a folder");
    let paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    let is_event_file = |path: &&PathBuf| path.to_string_lossy().contains("/events.out.tfevents.");
    let files: Vec<_> = paths.iter().filter(is_event_file).collect();
    assert_eq!(files.len(), 1, "{paths:?}");
    std::fs::read(files[0]).expect("it is readable")
}

/// The expected contents of a record: metrics of an epoch's event by their tags.
fn tagged(epoch: &Value, tags: &[(&str, &str)]) -> BTreeMap<String, f32> {
    let figure =
        |&(tag, field): &(&str, &str)| (tag.to_owned(), epoch[field].as_f64().expect("a number") as f32);
    tags.iter().map(figure).collect()
}

/// Training, validation and test curves share one chart because they have one tag in several runs.
#[test]
fn each_split_has_an_event_file_of_its_own() {
    for (validation, splits) in
        [(None, &["train", "test"][..]), (Some("0.3"), &["train", "validation", "test"])]
    {
        let (sandbox, data) = (Sandbox::new(), data());
        let mut arguments = vec!["train", "--data", &data, "--model", "linear:8,relu", "--epochs", "3"];
        arguments.extend(["--device", "cpu", "--json", "--out", "run"]);
        if let Some(share) = validation {
            arguments.extend(["--validation", share]);
        }
        let outcome = fine(sandbox.run(&arguments));
        let epochs: Vec<_> = outcome.events().into_iter().filter(|event| event["event"] == "epoch").collect();
        for split in splits {
            let file = event_file(&sandbox.path().join("run").join(split));
            let records = records(&file);
            assert_eq!(records.len(), 2 + epochs.len(), "version and start come before the epochs");
            for (record, epoch) in records[2..].iter().zip(&epochs) {
                let (step, found) = scalars(record);
                assert_eq!(Some(step), epoch["step"].as_u64());
                let [accuracy, loss] = ["accuracy", "loss"].map(|figure| format!("{split}_{figure}"));
                let tags = [("epoch_accuracy", &*accuracy), ("epoch_loss", &*loss)];
                assert_eq!(found, tagged(epoch, &tags), "{split}");
            }
        }
        assert_eq!(sandbox.path().join("run/validation").exists(), validation.is_some());
        // They are also in the run's own file, one by one.
        let file = event_file(&sandbox.path().join("run"));
        let of_epochs = records(&file).into_iter().map(|record| scalars(record).1);
        let of_epochs: Vec<_> = of_epochs.filter(|found| found.contains_key("loss/train")).collect();
        let tags = [
            ("accuracy/validation", "validation_accuracy"),
            ("cross_entropy/validation", "validation_cross_entropy"),
            ("loss/validation", "validation_loss"),
        ];
        for (found, epoch) in of_epochs.iter().zip(&epochs) {
            if validation.is_some() {
                assert!(tagged(epoch, &tags).iter().all(|(tag, figure)| found.get(tag) == Some(figure)));
            } else {
                assert!(tags.iter().all(|(tag, _)| !found.contains_key(*tag)), "{found:?}");
            }
        }
        assert_eq!(of_epochs.len(), epochs.len());
    }
}

#[test]
fn event_files_hold_the_figures_of_each_epoch() {
    let (sandbox, data) = (Sandbox::new(), data());
    let arguments = ["train", "--data", &data, "--model", "linear:8,relu", "--epochs", "3", "--l2", "0.1"];
    let arguments = [&arguments[..], &["--schedule", "constant"]].concat();
    let outcome =
        fine(sandbox.run(&[&arguments[..], &["--device", "cpu", "--json", "--out", "run"]].concat()));
    let epochs: Vec<Value> = outcome.events().into_iter().filter(|event| event["event"] == "epoch").collect();
    let file = event_file(&sandbox.path().join("run"));
    let records = records(&file);

    let version = fields(records[0]);
    assert!(version.iter().any(|field| matches!(field, (3, Field::Bytes(b"brain.Event:2")))), "{version:?}");
    for record in &records {
        let Some((1, Field::Eight(seconds))) = fields(record).into_iter().find(|(number, _)| *number == 1)
        else {
            panic!("an event has a time");
        };
        // After 2020 and before 2100.
        assert!((1.57e9..4.1e9).contains(&f64::from_le_bytes(seconds)));
    }
    // Where the run was resumed: SessionLog { status: START }, at the step of the first metrics.
    let started = fields(records[1]);
    assert!(started.iter().any(|field| matches!(field, (7, Field::Bytes([8, 1])))), "{started:?}");

    let figures: Vec<_> = records[2..].iter().map(|record| scalars(record)).collect();
    assert!(figures.is_sorted_by_key(|(step, _)| *step), "{figures:?}");
    let (by_step, by_epoch): (Vec<_>, Vec<_>) =
        figures.into_iter().partition(|(_, found)| found.contains_key("step/loss"));
    assert_eq!(by_epoch.len(), epochs.len());
    // A submission covers at most an epoch.
    assert!(by_step.len() >= epochs.len(), "{by_step:?}");
    let config: Value = outcome.events()[0]["config"].clone();
    let mut before = 0;
    for (step, found) in &by_step {
        assert!(*step > before, "{by_step:?}");
        before = *step;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["step/learning_rate", "step/loss"]);
        assert_eq!(
            f64::from(found["step/learning_rate"]),
            config["lr"].as_f64().expect("a number") as f32 as f64
        );
        // Six classes: a model that knows nothing has a loss of ln 6, plus the penalty here.
        assert!((0.1..9.0).contains(&found["step/loss"]), "{by_step:?}");
    }
    // If an epoch was a single submission, its mean is that of its steps.
    let last = epochs.last().expect("there are epochs")["step"].as_u64().expect("a number");
    assert_eq!(before, last, "the last step has no figures");

    for ((step, found), epoch) in by_epoch.into_iter().zip(&epochs) {
        assert_eq!(Some(step), epoch["step"].as_u64());
        let expected = [
            ("accuracy/test", "test_accuracy"),
            ("accuracy/train", "train_accuracy"),
            ("cross_entropy/test", "test_cross_entropy"),
            ("cross_entropy/train", "train_cross_entropy"),
            ("loss/test", "test_loss"),
            ("loss/train", "train_loss"),
            ("pace/images_per_second", "images_per_second"),
            ("pace/seconds_per_epoch", "seconds"),
            ("schedule/learning_rate", "learning_rate"),
        ];
        assert_eq!(found, tagged(epoch, &expected));
    }
}

/// A run of many steps leaves a file of bounded size: there is a maximum number of points by step.
#[test]
fn event_files_stay_small() {
    let (sandbox, data) = (Sandbox::new(), data());
    let arguments =
        ["train", "--data", &data, "--model", "linear:8,relu", "--epochs", "3000", "--no-keep-best"];
    let more =
        ["--batch-size", "8", "--checkpoint-every", "9999e", "--device", "cpu", "--quiet", "--out", "run"];
    assert_eq!(sandbox.run(&[&arguments[..], &more].concat()).code, Some(0));
    let file = event_file(&sandbox.path().join("run"));
    let by_step = records(&file).iter().filter(|record| scalars(record).1.contains_key("step/loss")).count();
    assert!((200..=2000).contains(&by_step), "{by_step}");
}

/// Checks the reader itself: it must detect errors.
#[test]
fn the_checksum_is_the_published_one() {
    // RFC 3720, B.4.
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}
