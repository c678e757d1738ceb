// Adds a zero that no compiler can predict to a loop bound from a uniform.
//
// Mesa's software driver specialises a kernel for the uniforms that bound its loops. It does so
// again at every dispatch, which takes a thousand times as long as the kernel itself. With this
// function, the bound does not depend on a uniform alone. `groups` is `num_workgroups`.
fn loop_bound(bound: u32, groups: vec3<u32>) -> u32 {
    return bound + (groups.z >> 31u);
}
