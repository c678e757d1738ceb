//! ONNX: the computation and its weights in one file, for onnxruntime and everything that reads it.
//!
//! The model takes `input`, f32 `[batch, channels, height, width]` of pixels that were scaled to
//! [0, 1] and normalised, and gives `logits`, `[batch, classes]`, for any size of the batch. The
//! file's metadata has what the caller needs beside that: `mean` and `std`, JSON arrays with a number
//! for each channel, and `classes`, a JSON array of names in the order of the logits.

mod messages;

use std::path::Path;

use prost::Message;

use self::messages::{
    AttributeProto, Dimension, FLOAT, GraphProto, INT, ModelProto, NodeProto, OperatorSetIdProto, Size,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::Parts;
use crate::atomic;
use crate::error::{Error, Result};
use crate::layers::Stage;
use crate::run::{NamedTensor, SavedModel};
use crate::tensor::Tensor;

/// ONNX 1.8 of 2020: everything in use reads it, and nothing newer is needed.
const IR_VERSION: i64 = 7;
const OPERATOR_SET: i64 = 13;

/// The most bytes that readers of protobuf accept.
const MOST_BYTES: usize = (2 << 30) - 1;

const INPUT: &str = "input";
const OUTPUT: &str = "logits";

/// Writes the model as an ONNX file.
pub(super) fn write(model: &SavedModel, path: &Path) -> Result<()> {
    let parts = Parts::of(model)?;
    let message = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("shadegrad".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: Some(Graph::translate(&parts)?),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPERATOR_SET) }],
        metadata_props: metadata(&parts),
    };
    let bytes = message.encoded_len();
    if bytes > MOST_BYTES {
        return Err(Error::model(format!(
            "the model has {bytes} bytes as ONNX, more than the {MOST_BYTES} that a file may have"
        ))
        .advise("export it with --format safetensors"));
    }
    atomic::write(path, &message.encode_to_vec())
}

/// A graph whose nodes follow one another in a chain.
struct Graph<'a> {
    parts: &'a Parts<'a>,
    nodes: Vec<NodeProto>,
    weights: Vec<TensorProto>,
    /// Whether the last node's output has its values in one row per image.
    flat: bool,
}

impl<'a> Graph<'a> {
    fn translate(parts: &'a Parts<'a>) -> Result<GraphProto> {
        let mut graph = Graph { parts, nodes: Vec::new(), weights: Vec::new(), flat: false };
        for stage in &parts.stages {
            graph.add_stage(stage)?;
        }
        let last = graph.nodes.last_mut().and_then(|node| node.output.first_mut());
        *last.expect("a model has a last layer") = OUTPUT.into();
        let images = parts.about.shape.map(|size| Size::DimValue(size as i64));
        let classes = Size::DimValue(parts.about.classes.len() as i64);
        Ok(GraphProto {
            node: graph.nodes,
            name: Some(parts.about.model.clone()),
            initializer: graph.weights,
            input: vec![floats(INPUT, images)],
            output: vec![floats(OUTPUT, [classes])],
        })
    }

    fn add_stage(&mut self, stage: &Stage) -> Result<()> {
        match stage {
            Stage::Linear { weight, bias } => {
                if !self.flat {
                    self.add_node("Flatten", vec![], vec![integer("axis", 1)]);
                    self.flat = true;
                }
                let operands = vec![self.add_weight(*weight)?, self.add_weight(*bias)?];
                self.add_node("Gemm", operands, vec![integer("transB", 1)]);
            }
            Stage::Relu => self.add_node("Relu", vec![], vec![]),
            other => return Err(Error::model(format!("ONNX: {other:?} is not translated yet"))),
        }
        Ok(())
    }

    /// Adds a node that takes the output of the one before, and then `operands`.
    fn add_node(&mut self, op: &str, operands: Vec<String>, attribute: Vec<AttributeProto>) {
        let before = self.nodes.last().map_or(INPUT, |node| node.output[0].as_str());
        let name = format!("{}_{op}", self.nodes.len());
        self.nodes.push(NodeProto {
            input: [vec![before.into()], operands].concat(),
            output: vec![format!("{name}_output")],
            name: Some(name),
            op_type: Some(op.into()),
            attribute,
        });
    }

    /// Adds a trained tensor and returns its name.
    fn add_weight(&mut self, tensor: Tensor) -> Result<String> {
        let NamedTensor { name, shape, values } = self.parts.tensor(tensor)?;
        self.weights.push(TensorProto {
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type: Some(FLOAT),
            name: Some(name.clone()),
            raw_data: Some(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        });
        Ok(name)
    }
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: Some(name.into()), i: Some(value), r#type: Some(INT) }
}

/// A value of the graph: a batch of arrays of the shape `sizes`.
fn floats<const N: usize>(name: &str, sizes: [Size; N]) -> ValueInfoProto {
    let batch = Size::DimParam("batch".into());
    let dim = [batch].into_iter().chain(sizes).map(|size| Dimension { value: Some(size) }).collect();
    let tensor = TensorTypeProto { elem_type: Some(FLOAT), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: Some(name.into()), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
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
