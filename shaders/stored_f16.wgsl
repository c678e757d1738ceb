enable f16;

// Numbers that layers hand on, and their gradients, are kept in 16 bits, and computed with in 32.
alias Stored = f16;
const IN_HALF = true;
