//! ONNX export: the computation and its weights in one file, for onnxruntime and other programs.
//!
//! The model takes `input`, f32 `[batch, channels, height, width]`, with pixels scaled to [0, 1]
//! and normalised. It returns `logits`, `[batch, classes]`, for any batch size. The file's metadata
//! contains `mean` and `std` (JSON arrays with one number per channel) and `classes` (a JSON array
//! of names in the order of the logits).

mod graph;
mod messages;

use std::path::Path;

use prost::Message;

use self::messages::{ModelProto, OperatorSetIdProto, StringStringEntryProto};
use crate::checkpoint::SavedModel;
use crate::error::{Error, Result};
use crate::export::parts::Parts;
use crate::fs::atomic;
use crate::remedy::Remedy;

/// The opset of ONNX 1.8 (2020). Common programs support it, and nothing newer is needed.
const IR_VERSION: i64 = 7;
const OPERATOR_SET: i64 = 13;

/// Maximum size of a protobuf message in bytes.
const MOST_BYTES: usize = (2 << 30) - 1;

/// Writes the model as an ONNX file.
pub(super) fn write(model: &SavedModel, path: &Path) -> Result<()> {
    let parts = Parts::of(model)?;
    let message = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("shadegrad".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: Some(graph::translate(&parts)?),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPERATOR_SET) }],
        metadata_props: metadata(&parts),
    };
    let bytes = message.encoded_len();
    if bytes > MOST_BYTES {
        return Err(Error::model(format!(
            "the model has {bytes} bytes as ONNX, more than the maximum of {MOST_BYTES}"
        ))
        .advise(Remedy::settings("export it with {}", [("format", "safetensors")])));
    }
    atomic::write(path, &message.encode_to_vec())
}

fn metadata(parts: &Parts<'_>) -> Vec<StringStringEntryProto> {
    let about = parts.about;
    let entries = [
        ("mean", serde_json::to_string(&about.normalisation.mean)),
        ("std", serde_json::to_string(&about.normalisation.std)),
        ("classes", serde_json::to_string(&about.classes)),
    ];
    let entry = |(key, json): (&str, serde_json::Result<String>)| StringStringEntryProto {
        key: Some(key.into()),
        value: Some(json.expect("plain values turn into JSON")),
    };
    entries.map(entry).into()
}
