//! Products that are gradients, where those in 16 bits have a scale.

/// What becomes of a product that is a gradient where those in 16 bits have a
/// [scale](crate::plan::StepRecord::gradient_scale).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Nothing: both its operand and the product have the scale, or neither has.
    #[default]
    None,
    /// The product gets the scale.
    Up,
    /// The product is without what its operand has.
    Down,
}

impl Scale {
    /// Its name in the templates.
    pub(super) fn label(self) -> &'static str {
        match self {
            Scale::None => "",
            Scale::Up => "up",
            Scale::Down => "down",
        }
    }
}
