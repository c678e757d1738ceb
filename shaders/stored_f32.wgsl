// Numbers that layers hand on, and their gradients, are kept in 32 bits.
alias Stored = f32;
const IN_HALF = false;
