@group(0) @binding(8) var<storage, read_write> dx: array<vec4<f32>>;

// dx = dlogits w of a workgroup's rows, in the k-th vector of their lines.
fn hand_back(row0: u32, k: u32, classes: u32, quads: u32) {
    for (var four = 0u; four < GROUPS; four += 2u) {
        var y0 = vec4(0.0);
        var y1 = vec4(0.0);
        var y2 = vec4(0.0);
        var y3 = vec4(0.0);
        var y4 = vec4(0.0);
        var y5 = vec4(0.0);
        var y6 = vec4(0.0);
        var y7 = vec4(0.0);
        for (var j = 0u; j < classes; j++) {
            let weight = w[j * quads + k];
            let a = values[j * GROUPS + four];
            let b = values[j * GROUPS + four + 1u];
            y0 += a.x * weight;
            y1 += a.y * weight;
            y2 += a.z * weight;
            y3 += a.w * weight;
            y4 += b.x * weight;
            y5 += b.y * weight;
            y6 += b.z * weight;
            y7 += b.w * weight;
        }
        let row = row0 + four * 4u;
        store(row, k, quads, y0);
        store(row + 1u, k, quads, y1);
        store(row + 2u, k, quads, y2);
        store(row + 3u, k, quads, y3);
        store(row + 4u, k, quads, y4);
        store(row + 5u, k, quads, y5);
        store(row + 6u, k, quads, y6);
        store(row + 7u, k, quads, y7);
    }
}

fn store(row: u32, k: u32, quads: u32, value: vec4<f32>) {
    if row < params.batch {
        let at = row * quads + k;
        let open = (x[at] > vec4(0.0)) | vec4(params.masked == 0u);
        dx[at] = select(vec4(0.0), value, open);
    }
}
