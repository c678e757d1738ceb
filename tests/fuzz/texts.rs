//! Texts that users write: configuration files, values of flags, models.

use std::ffi::OsStr;

use shadegrad::ErrorKind::Usage;
use shadegrad::config::{Key, Origin, Settings, Sources, resolve};
use shadegrad::nn::{Model, ModelSpec, Size};
use shadegrad::plan::Plan;

use crate::harness::{Target, dictionary, fuzz, taken};

const CONFIGS: [&str; 3] = [
    "# mine\npreset = \"lab-cifar10\"\nepochs = 3\nlr = 0.1\nmodel = \"linear:8,relu\"\nshuffle = false\n",
    "description = \"all of it\"\ndata = \"mnist\"\nseed = 0x10\nbatch-size = 64\nmomentum = 0.9\nnesterov = true\n\
     validation = 0.1\npatience = 3\ncheckpoint-every = \"2e\"\ninit = \"weights.safetensors\"\n",
    "schedule = \"cosine\"\nwarmup = 0.05\nl2 = 1e-4\nweight-decay = 5e-4\nnormalize = \"standard\"\n\
     resize = \"crop\"\nimage-size = 32\ndevice = \"cpu\"\nkeep-best = true\n",
];

#[test]
fn configurations() {
    let samples = CONFIGS.map(|text| text.as_bytes().to_vec()).to_vec();
    let target = Target { name: "config", samples, dictionary: dictionary!("config"), mend: None };
    fuzz(&target, |case| {
        let path = case.write("mine.toml");
        let sources = Sources { flags: Settings::default(), environment: &|_| None, file: Some(&path) };
        let resolved = taken(resolve(sources), &[Usage]);
        // An accepted file is written in a form that is read back with the same meaning.
        let again = resolved.as_ref().map(|resolved| {
            std::fs::write(&path, resolved.config.to_toml()).expect("the folder is writable");
            let sources = Sources { flags: Settings::default(), environment: &|_| None, file: Some(&path) };
            resolve(sources).expect("its own text").config
        });
        assert_eq!(again.as_ref(), resolved.as_ref().map(|resolved| &resolved.config));
        resolved.is_some()
    });
}

const VALUES: [&str; 8] = ["3", "0.9", "2e", "test", "he", "cosine", "auto", "weights.safetensors"];

#[test]
fn flags() {
    let samples = VALUES.map(|text| text.as_bytes().to_vec()).to_vec();
    let words: &[&[u8]] =
        &[b"nan", b"inf", b"-", b"+", b"e", b"m", b"_", b" ", b"0x", b".safetensors", b"\0"];
    let target = Target { name: "flags", samples, dictionary: words, mend: None };
    fuzz(&target, |case| {
        let text = String::from_utf8_lossy(&case.bytes);
        let accepts = |key| {
            let mut settings = Settings::default();
            taken(settings.set_text(key, OsStr::new(&*text), Origin::Caller), &[Usage]).is_some()
        };
        let is_other = |key: &Key| !matches!(key.kind().plain(), shadegrad::config::Kind::Text);
        // Tries all keys. Those that accept any text do not check the value.
        Key::ALL.map(|key| accepts(key) && is_other(&key)).contains(&true)
    });
}

const MODELS: [&str; 9] = [
    "linear:128,relu,linear:10",
    "relu",
    "linear:7, relu,relu ,linear:3",
    "linear:1048576",
    "linear:10",
    "conv:8x3s2p1,batchnorm,relu,maxpool:2,flatten,linear:10,scale:0.125",
    "3*(conv:4x3,gelu),residual(batchnorm,conv:4x3|conv:4x1),globalavgpool",
    "silu,hardswish,conv:4x3,relu6,globalavgpool,sigmoid,linear:3",
    "whiten:2,gelu,avgpool:2s1p1,leakyrelu:0.1,batchnorm:0.4,globalmaxpool",
];

#[test]
fn models() {
    let samples = MODELS.map(|text| text.as_bytes().to_vec()).to_vec();
    let target = Target { name: "models", samples, dictionary: dictionary!("layers"), mend: None };
    fuzz(&target, |case| {
        let text = String::from_utf8_lossy(&case.bytes);
        // The description may be any text.
        let pick = |sizes: &[usize]| sizes[case.bytes.len() % sizes.len()];
        let (classes, side) = (pick(&[10, 1, 2, 1000, 65_536, 3, 7]), pick(&[28, 1, 32, 224, 5]));
        let image = Size::Map { height: side, width: side, channels: pick(&[1, 3]) };
        let spec = ModelSpec::parse(&text, classes)
            .and_then(|spec| spec.check_sizes(image, pick(&[1, 64, 60_000])).map(|()| spec));
        let Some(spec) = taken(spec, &[Usage]) else { return false };
        let model = Model::new(&mut Plan::new(), &spec, image);
        // The text of a model with all layers inferred is a valid model, too.
        let complete = model.spec();
        let again = ModelSpec::parse(&complete, classes).expect("its own text");
        assert_eq!(Model::new(&mut Plan::new(), &again, image).spec(), complete);
        let last = complete.rsplit(',').find(|layer| !layer.starts_with("scale:"));
        assert_eq!(last, Some(&*format!("linear:{classes}")), "{complete}");
        true
    });
}
