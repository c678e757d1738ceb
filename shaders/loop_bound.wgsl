// A loop's bound that comes from a uniform, plus a zero that no compiler can see through.
//
// Mesa's software driver specialises a kernel for the uniforms that bound its loops, and does so
// anew at every dispatch, which takes a thousand times as long as the kernel itself. Through this
// function the bound is no longer a uniform's value alone. `groups` is `num_workgroups`.
fn loop_bound(bound: u32, groups: vec3<u32>) -> u32 {
    return bound + (groups.z >> 31u);
}
