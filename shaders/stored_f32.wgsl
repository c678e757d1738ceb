// Activations and their gradients are stored in f32.
alias Stored = f32;
const IN_HALF = false;
