enable f16;

// Activations and their gradients are stored in f16. Computations use f32.
alias Stored = f16;
const IN_HALF = true;
