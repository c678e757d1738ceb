// One channel per invocation.
alias Lanes = f32;
alias Kept = Stored;
alias Bits = u32;
alias Flags = bool;
