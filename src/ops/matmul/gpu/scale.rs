//! The loss scale of products that are gradients.

/// How a product that is a gradient changes the loss scale, which only f16 gradients have; see
/// [`gradient_scale`](crate::plan::StepRecord::gradient_scale).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// No change: both the operand and the product have the scale, or neither has.
    #[default]
    None,
    /// The product is multiplied by the scale.
    Up,
    /// The product is divided by the scale of its operand.
    Down,
}

impl Scale {
    /// The name in the templates.
    pub(super) fn label(self) -> &'static str {
        match self {
            Scale::None => "",
            Scale::Up => "up",
            Scale::Down => "down",
        }
    }
}
