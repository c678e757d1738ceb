//! Translates a model to an ONNX graph: nodes with one operation each, and the tensors they read.
//!
//! Weights have [PyTorch's layout](crate::tensor::layout), which is also ONNX's: maps are `[batch,
//! channels, height, width]`.

use super::messages::{
    AttributeProto, AttributeType, Dimension, FLOAT, GraphProto, NodeProto, Size, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::checkpoint::NamedTensor;
use crate::error::Result;
use crate::export::parts::Parts;
use crate::nn::{self, Module, PoolKind, Window};
use crate::ops::activation::Activation;
use crate::tensor::Tensor;

const INPUT: &str = "input";
const OUTPUT: &str = "logits";

/// Translates a model to a graph.
pub(super) fn translate(parts: &Parts<'_>) -> Result<GraphProto> {
    let mut graph = Graph { parts, nodes: Vec::new(), weights: Vec::new(), last: INPUT.into() };
    // A model whose input is a row reads images channel by channel.
    if matches!(parts.input, nn::Size::Row(_)) {
        graph.add_module(&Module::Flatten)?;
    }
    graph.add_modules(&parts.modules)?;
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

/// A graph to which nodes are appended.
struct Graph<'a> {
    parts: &'a Parts<'a>,
    nodes: Vec<NodeProto>,
    weights: Vec<TensorProto>,
    /// Name of the input of the next module.
    last: String,
}

impl Graph<'_> {
    fn add_modules(&mut self, modules: &[Module]) -> Result<()> {
        modules.iter().try_for_each(|module| self.add_module(module))
    }

    /// Appends the nodes of a module. Its output becomes the last value.
    fn add_module(&mut self, module: &Module) -> Result<()> {
        let x = self.last.clone();
        match module {
            Module::Linear { weight, bias } => {
                let operands = [x, self.weight(*weight)?, self.weight(*bias)?];
                self.add_node("Gemm", operands, vec![integer("transB", 1)]);
            }
            Module::Conv { weight, bias, window } => {
                let bias = bias.map(|bias| self.weight(bias)).transpose()?;
                let operands = [x, self.weight(*weight)?].into_iter().chain(bias);
                self.add_node("Conv", operands, attributes(*window));
            }
            Module::BatchNorm { weight, bias, mean, variance, epsilon } => {
                let mut operands = vec![x];
                for tensor in [weight, bias, mean, variance] {
                    operands.push(self.weight(*tensor)?);
                }
                self.add_node("BatchNormalization", operands, vec![float("epsilon", *epsilon)]);
            }
            Module::Pool(PoolKind::Max, window) => self.add_node("MaxPool", [x], attributes(*window)),
            Module::Pool(PoolKind::Average, window) => {
                let attributes = [attributes(*window), vec![integer("count_include_pad", 1)]];
                self.add_node("AveragePool", [x], attributes.concat());
            }
            Module::Flatten => self.add_node("Flatten", [x], vec![integer("axis", 1)]),
            Module::Activation(activation) => self.add_activation(*activation, x),
            Module::Identity => {}
            Module::Residual { body, shortcut } => {
                self.add_modules(body)?;
                let body = std::mem::replace(&mut self.last, x);
                self.add_modules(shortcut)?;
                let operands = [body, self.last.clone()];
                self.add_node("Add", operands, vec![]);
            }
        }
        Ok(())
    }

    /// Appends the nodes of an activation of `x`. This opset has neither GELU nor SiLU nor
    /// hardswish.
    fn add_activation(&mut self, activation: Activation, x: String) {
        match activation {
            Activation::Relu => self.add_node("Relu", [x], vec![]),
            Activation::Gelu => self.add_gelu(x),
            Activation::LeakyRelu { slope } => self.add_node("LeakyRelu", [x], vec![float("alpha", slope)]),
            Activation::Silu => {
                self.add_node("Sigmoid", [x.clone()], vec![]);
                self.add_node("Mul", [x, self.last.clone()], vec![]);
            }
            Activation::Hardswish => {
                // min(max(alpha x + beta, 0), 1)
                let attributes = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
                self.add_node("HardSigmoid", [x.clone()], attributes);
                self.add_node("Mul", [x, self.last.clone()], vec![]);
            }
            Activation::Relu6 => {
                let bounds = [0.0, 6.0].map(|bound| self.constant("Clip", bound));
                self.add_node("Clip", [x].into_iter().chain(bounds), vec![]);
            }
            Activation::Sigmoid => self.add_node("Sigmoid", [x], vec![]),
            Activation::Tanh => self.add_node("Tanh", [x], vec![]),
            Activation::Scale { factor } => self.add_operation("Mul", x, factor),
        }
    }

    /// Appends GELU: `x / 2 (1 + erf(x / sqrt(2)))`.
    fn add_gelu(&mut self, x: String) {
        self.add_operation("Mul", x.clone(), std::f32::consts::FRAC_1_SQRT_2);
        self.add_node("Erf", [self.last.clone()], vec![]);
        self.add_operation("Add", self.last.clone(), 1.0);
        self.add_operation("Mul", self.last.clone(), 0.5);
        self.add_node("Mul", [x, self.last.clone()], vec![]);
    }

    /// Appends a node that combines every value with a constant.
    fn add_operation(&mut self, op: &str, x: String, operand: f32) {
        let operand = self.constant(op, operand);
        self.add_node(op, [x, operand], vec![]);
    }

    /// Adds a constant as an operand of the next node, and returns its name.
    fn constant(&mut self, op: &str, value: f32) -> String {
        let name = format!("{}_{op}_{value}", self.nodes.len());
        self.weights.push(initializer(name.clone(), &[], &[value]));
        name
    }

    /// Appends a node. Its output becomes the last value.
    fn add_node(
        &mut self,
        op: &str,
        operands: impl IntoIterator<Item = String>,
        attribute: Vec<AttributeProto>,
    ) {
        let name = format!("{}_{op}", self.nodes.len());
        self.last = format!("{name}_output");
        self.nodes.push(NodeProto {
            input: operands.into_iter().collect(),
            output: vec![self.last.clone()],
            name: Some(name),
            op_type: Some(op.into()),
            attribute,
        });
    }

    /// Adds a tensor of the model and returns its name.
    fn weight(&mut self, tensor: Tensor) -> Result<String> {
        let NamedTensor { name, shape, values } = self.parts.tensor(tensor)?;
        self.weights.push(initializer(name.clone(), &shape, &values));
        Ok(name)
    }
}

fn initializer(name: String, shape: &[usize], values: &[f32]) -> TensorProto {
    TensorProto {
        dims: shape.iter().map(|&size| size as i64).collect(),
        data_type: Some(FLOAT),
        name: Some(name),
        raw_data: Some(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
    }
}

/// Returns the attributes of a window: size, strides and padding.
fn attributes(Window { height, width, stride, padding }: Window) -> Vec<AttributeProto> {
    vec![
        integers("kernel_shape", &[height, width]),
        integers("strides", &[stride; 2]),
        // Top, left, bottom, right.
        integers("pads", &[padding; 4]),
    ]
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.into()), r#type: Some(r#type as i32), ..AttributeProto::default() }
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

fn integers(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|&value| value as i64).collect();
    AttributeProto { ints, ..attribute(name, AttributeType::Ints) }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, AttributeType::Float) }
}

/// Describes a value of the graph: a batch of arrays of the shape `sizes`.
fn floats<const N: usize>(name: &str, sizes: [Size; N]) -> ValueInfoProto {
    let batch = Size::DimParam("batch".into());
    let dim = [batch].into_iter().chain(sizes).map(|size| Dimension { value: Some(size) }).collect();
    let tensor = TensorTypeProto { elem_type: Some(FLOAT), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: Some(name.into()), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}
