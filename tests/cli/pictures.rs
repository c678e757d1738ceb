//! The defaults of `train` for a folder of pictures.

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use serde_json::Value;

use crate::cli::support::{Sandbox, fine};
use crate::cli::training::data;

/// A picture of noise with minimum brightness `base`.
fn picture(side: u32, base: u8, index: u32, has_colour: bool) -> Vec<u8> {
    let noise = |x: u32, y: u32| base + ((x * 31 + y * 17 + index * 7919 + x * y) % 50) as u8;
    let mut file = std::io::Cursor::new(Vec::new());
    let written = if has_colour {
        RgbImage::from_fn(side, side, |x, y| Rgb([noise(x, y), 90, noise(y, x)]))
            .write_to(&mut file, ImageFormat::Png)
    } else {
        GrayImage::from_fn(side, side, |x, y| Luma([noise(x, y)])).write_to(&mut file, ImageFormat::Png)
    };
    written.expect("a vector takes everything");
    file.into_inner()
}

/// A folder `shades` with this many dark and light pictures. If `is_told_apart` is false, both
/// classes have the same pictures.
fn with_shades(side: u32, count: u32, has_colour: bool, is_told_apart: bool) -> Sandbox {
    let sandbox = Sandbox::new();
    for (class, base) in [("dark", 0), ("light", if is_told_apart { 200 } else { 0 })] {
        for split in ["train", "test"] {
            let folder = format!("shades/{split}/{class}");
            sandbox.folder(&folder);
            for index in 0..count {
                let contents = picture(side, base, index, has_colour);
                sandbox.write(&format!("{folder}/{index}.png"), contents);
            }
        }
    }
    sandbox
}

fn shown(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    fine(sandbox.run(&[&["config", "show", "--json"], arguments].concat())).events().remove(0)
}

#[test]
fn a_folder_of_pictures_trains_a_net_that_works() {
    let sandbox = with_shades(8, 20, false, true);
    let arguments = ["train", "--data", "shades", "--device", "cpu", "--json", "--out", "run"];
    let outcome = fine(sandbox.run(&arguments));
    let notes: Vec<_> = outcome.stderr.lines().filter(|line| line.contains("preset pictures")).collect();
    assert_eq!(
        notes,
        ["note: shades is a folder of images: preset pictures, a small convolutional network; epochs 100, \
          batch-size 8, crop 1 for 40 training images of 8x8"]
    );
    let events = outcome.events();
    let config = &events[0]["config"];
    for (key, value) in
        [("preset", Value::from("pictures")), ("epochs", 100.into()), ("batch-size", 8.into())]
    {
        assert_eq!(config[key], value, "{config}");
    }
    let model = config["model"].as_str().expect("a text");
    assert!(model.starts_with("conv:"), "{model}");
    assert_eq!(events.last().expect("there is an end")["test_accuracy"], 1.0);
    let recorded = sandbox.read("run/config.toml");
    assert!(recorded.contains("epochs = 100\n") && !recorded.contains("\"auto\""), "{recorded}");
}

#[test]
fn the_preset_is_chosen_for_pictures_and_for_nothing_else() {
    let (sandbox, files) = (with_shades(8, 2, false, true), data());
    sandbox.write("mine.toml", "data = \"shades\"\n");
    let preset = |arguments: &[&str]| {
        let shown = shown(&sandbox, arguments);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (text(&shown["config"]["preset"]), text(&shown["origins"]["preset"]))
    };
    let chosen = ("pictures".to_owned(), "auto: a folder of images".to_owned());
    assert_eq!(preset(&["--data", "shades"]), chosen);
    assert_eq!(preset(&["--config", "mine.toml"]), chosen);
    assert_eq!(preset(&["--data", "shades", "--lr", "0.01", "--optimizer", "lion"]), chosen);
    // The defaults do not apply if the user names a preset or a model, or if the data are not
    // pictures.
    let usual = ("fashion-mnist".to_owned(), "default".to_owned());
    assert_eq!(preset(&["--data", "shades", "--model", "linear:8"]), usual);
    assert_eq!(preset(&["--data", &files]), usual);
    assert_eq!(preset(&["--data", "mnist"]), usual);
    assert_eq!(preset(&["--data", "nowhere"]), usual);
    assert_eq!(preset(&[]), usual);
    assert_eq!(preset(&["cifar10-cnn", "--data", "shades"]).0, "cifar10-cnn");
    let table = fine(sandbox.run(&["config", "show", "--data", "shades"]));
    assert!(table.stderr.starts_with("note: shades is a folder of images: preset pictures"), "{table:#?}");
}

#[test]
fn auto_is_shown_until_the_images_are_known() {
    let sandbox = Sandbox::new();
    let shown = shown(&sandbox, &["pictures", "--batch-size", "4"]);
    assert_eq!((&shown["config"]["epochs"], &shown["config"]["batch-size"]), (&"auto".into(), &4.into()));
    assert_eq!(shown["origins"]["epochs"], "preset pictures");
    let text = fine(sandbox.run(&["config", "show", "pictures"])).stdout;
    sandbox.write("mine.toml", &text);
    let again = fine(sandbox.run(&["config", "show", "--config", "mine.toml"])).stdout;
    assert!(again.contains("crop = \"auto\""), "{again}");
}

fn trains_pictures_of_every_size(device: &str, sides: &[u32]) {
    for &side in sides {
        for has_colour in [false, true] {
            let sandbox = with_shades(side, 3, has_colour, true);
            let size = side.to_string();
            let arguments =
                ["train", "--data", "shades", "--image-size", &size, "--max-steps", "2", "--device"];
            let outcome = fine(sandbox.run(&[&arguments[..], &[device, "--no-tune", "--json"]].concat()));
            let shape = serde_json::json!([if has_colour { 3 } else { 1 }, side, side]);
            assert_eq!(outcome.events()[0]["dataset"]["shape"], shape);
        }
    }
}

#[test]
fn few_pictures_of_every_size_train_on_the_cpu() {
    trains_pictures_of_every_size("cpu", &[1, 8, 9, 16, 31, 33, 256]);
}

#[test]
fn few_pictures_of_every_size_train_on_the_gpu() {
    trains_pictures_of_every_size("gpu", &[8, 33]);
}

#[test]
fn presets_clip_gradients_for_images_that_they_are_not_made_for() {
    let sandbox = with_shades(40, 4, true, true);
    let train = |more: &[&str]| {
        let arguments = ["train", "--data", "shades", "--device", "cpu", "--max-steps", "1", "--json"];
        let outcome = fine(sandbox.run(&[&arguments[..], more].concat()));
        let clip_norm = outcome.events()[0]["config"]["clip-norm"].clone();
        (clip_norm, outcome.stderr.contains("is for batches of 128 images of 3x32x32"))
    };
    assert_eq!(train(&["cifar10-mlp"]), (1.0.into(), true));
    assert_eq!(train(&["cifar10-mlp", "--image-size", "32"]), (Value::Null, false));
    assert_eq!(train(&["cifar10-mlp", "--lr", "0.01"]), (Value::Null, false));
    assert_eq!(train(&["cifar10-mlp", "--image-size", "32", "--batch-size", "2"]), (1.0.into(), true));
}

#[test]
fn a_run_that_learns_nothing_is_told_so_once() {
    let line = "train --data shades --model linear:8,relu --epochs 30 --device cpu --out run";
    let arguments: Vec<_> = line.split(' ').collect();
    for (output, is_told_apart) in [("--json", false), ("--quiet", false), ("--json", true)] {
        let sandbox = with_shades(8, 20, false, is_told_apart);
        let outcome = fine(sandbox.run(&[&arguments[..], &[output]].concat()));
        let expected = usize::from(!is_told_apart);
        let log = sandbox.read("run/log.txt");
        for text in [&outcome.stderr, &log] {
            let warnings = text.matches("the level of guessing among 2 classes").count();
            assert_eq!(warnings, expected, "{output}: {text}");
        }
        // Standard output has events, or nothing.
        assert_eq!(outcome.events().is_empty(), output == "--quiet");
    }
}
