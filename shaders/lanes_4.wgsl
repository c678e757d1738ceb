// Four neighbouring channels per invocation: the kernel counts channels and elements in fours.
alias Lanes = vec4<f32>;
alias Kept = vec4<Stored>;
alias Bits = vec4<u32>;
alias Flags = vec4<bool>;
