// Channels of a workgroup that sums, and invocations that share the rows of each channel.
const CHANNELS = 16u;
const LANES = 16u;
