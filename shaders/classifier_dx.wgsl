// kernel classifier_dx = stored_f32 step gradient_scale loop_bound log_sum_exp softmax_row classifier classifier_dx
@group(0) @binding(8) var<storage, read_write> dx: array<vec4<Stored>>;

// Number of invocations side by side. Each computes eight rows of two vectors that are COLUMNS
// apart, then of the next two, so that every load serves several sums. With four vectors, AMD's
// compiler spills registers on RDNA 3.
const COLUMNS = 8u;

// dx = dlogits w for the rows of the workgroup.

fn hand_back(lane: u32, classes: u32, quads: u32) {
    let four = lane / COLUMNS * 2u;
    let row = four * 4u;
    for (var k = lane % COLUMNS; k < quads; k += 2u * COLUMNS) {
        let k1 = k + COLUMNS;
        var a0 = mat4x4<f32>();
        var a1 = mat4x4<f32>();
        var b0 = mat4x4<f32>();
        var b1 = mat4x4<f32>();
        for (var j = 0u; j < classes; j++) {
            let a = values[j * GROUPS + four];
            let b = values[j * GROUPS + four + 1u];
            let w0 = w[j * quads + k];
            let w1 = w[j * quads + min(k1, quads - 1u)];
            a0 += outer(a, w0);
            a1 += outer(a, w1);
            b0 += outer(b, w0);
            b1 += outer(b, w1);
        }
        store(row, k, quads, a0);
        store(row, k1, quads, a1);
        store(row + 4u, k, quads, b0);
        store(row + 4u, k1, quads, b1);
    }
}

// Column i is a_i b.
fn outer(a: vec4<f32>, b: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(a.x * b, a.y * b, a.z * b, a.w * b);
}

// Stores the k-th vector of four rows.
fn store(row: u32, k: u32, quads: u32, rows: mat4x4<f32>) {
    if k < quads {
        store_row(row, k, quads, rows[0]);
        store_row(row + 1u, k, quads, rows[1]);
        store_row(row + 2u, k, quads, rows[2]);
        store_row(row + 3u, k, quads, rows[3]);
    }
}

fn store_row(row: u32, k: u32, quads: u32, value: vec4<f32>) {
    if row0 + row < params.batch {
        let at = (row0 + row) * quads + k;
        let open = (vector(at) > vec4(0.0)) | vec4(params.masked == 0u);
        dx[at] = vec4<Stored>(select(vec4(0.0), value * gradient_scale(), open));
    }
}
