//! Eigenvalues and eigenvectors of a small symmetric matrix.

/// An eigenvalue with its eigenvector of length 1.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) value: f64,
    pub(super) vector: Vec<f64>,
}

/// Maximum number of sweeps over the matrix; about ten make it diagonal.
const MOST_SWEEPS: usize = 60;

/// All eigenpairs of the symmetric `matrix`, `[size, size]`, by Jacobi's method (Golub and Van
/// Loan, "Matrix Computations", section 8.5): rotations in a fixed order, each of which makes one
/// off-diagonal element zero.
pub(super) fn decompose(mut matrix: Vec<f64>, size: usize) -> Vec<Pair> {
    let at = |row: usize, column: usize| row * size + column;
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|i| vectors[at(i, i)] = 1.0);
    let norm: f64 = matrix.iter().map(|value| value * value).sum();
    for _ in 0..MOST_SWEEPS {
        let beside = (0..size).flat_map(|i| (0..i).map(move |j| (i, j)));
        let rest: f64 = beside.map(|(i, j)| matrix[at(i, j)].powi(2)).sum();
        if rest <= norm * f64::EPSILON.powi(2) {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                let off = matrix[at(p, q)];
                if off == 0.0 {
                    continue;
                }
                let tau = (matrix[at(q, q)] - matrix[at(p, p)]) / (2.0 * off);
                let tangent = tau.signum() / (tau.abs() + tau.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                let rotate = |values: &mut [f64], first: usize, second: usize| {
                    let (one, other) = (values[first], values[second]);
                    values[first] = cosine * one - sine * other;
                    values[second] = sine * one + cosine * other;
                };
                for k in 0..size {
                    rotate(&mut matrix, at(k, p), at(k, q));
                }
                for k in 0..size {
                    rotate(&mut matrix, at(p, k), at(q, k));
                    rotate(&mut vectors, at(k, p), at(k, q));
                }
            }
        }
    }
    let pair = |i: usize| Pair {
        value: matrix[at(i, i)],
        vector: (0..size).map(|row| vectors[at(row, i)]).collect(),
    };
    (0..size).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_those_of_the_matrix_and_vectors_are_orthonormal() {
        for size in [1, 2, 5, 12, 27] {
            // A symmetric matrix with large and small eigenvalues.
            let value = |i: usize, j: usize| {
                ((i * j + i + j) as f64).sin() + if i == j { 10f64.powi(i as i32 % 4) } else { 0.0 }
            };
            let matrix: Vec<f64> = (0..size * size).map(|index| value(index / size, index % size)).collect();
            let pairs = decompose(matrix.clone(), size);
            for (index, Pair { value, vector }) in pairs.iter().enumerate() {
                for row in 0..size {
                    let line = &matrix[row * size..][..size];
                    let product: f64 = line.iter().zip(vector).map(|(m, v)| m * v).sum();
                    assert!((product - value * vector[row]).abs() < 1e-10, "{size}: {product}");
                }
                for (other, pair) in pairs.iter().enumerate() {
                    let product: f64 = vector.iter().zip(&pair.vector).map(|(one, other)| one * other).sum();
                    assert!((product - f64::from(u8::from(index == other))).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn a_diagonal_matrix_has_its_diagonal() {
        let pairs = decompose(vec![3.0, 0.0, 0.0, -1.0], 2);
        assert_eq!(pairs.iter().map(|pair| pair.value).collect::<Vec<_>>(), [3.0, -1.0]);
    }
}
